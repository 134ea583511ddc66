import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openPolicy } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { missingCalls, type TimedCall } from '../support/missing-calls.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { dumpRedis, startRedis, type TestRedis, until } from '../support/redis.ts';

import { type Replicas, startReplicas } from '../support/replicas.ts';
import { startGoodTraffic, type TrafficReport } from './good-traffic.ts';
import { codeOf } from './redis-stage.ts';
import { fault, scale } from './table.ts';

const perSecond = 100;
/** A second's worth: calls that are on their way, however slow the machine is, are few beside it. */
const burst = 100;
const quota = 40;
const places = 4;
/** Of a budget of 100, charged by 7: what a call asks for is never charged in part. */
const amount = 7;
const paid = Math.floor(100 / amount);

/** Tools by their whole names: those that a policy does not name count as one. */
const policy = `${openPolicy}
limits:
  - { name: all, match: { tools: [busy-2, busy-4] }, per: tool, rate: ${perSecond}/s, burst: ${burst}, onStoreLoss: deny }
  - { name: few, match: { tools: [counted-2, counted-4] }, per: tool, quota: ${quota}/month, onStoreLoss: deny }
  - { name: seats, match: { tools: [held-2, held-4] }, per: tool, concurrency: ${places}, onStoreLoss: deny }
  - { name: two, match: { tools: [pay-2] }, per: principal, sum: args.amount per month, most: 100, onStoreLoss: deny }
  - { name: four, match: { tools: [pay-4] }, per: principal, sum: args.amount per month, most: 100, onStoreLoss: deny }
`;

/** How many are started, and how many of them are asked: in the quick run one set is enough for both. */
const sets = scale(
  [{ started: 4, asked: [2, 4] }],
  [
    { started: 2, asked: [2] },
    { started: 4, asked: [4] },
  ],
);

for (const { started, asked } of sets)
  describe(`${started} gateway processes on one Redis`, () => {
    let redis: TestRedis;
    let server: Recorder;
    let replicas: Replicas;

    beforeAll(async () => {
      [redis, server] = await Promise.all([startRedis(), startRecorder()]);
      const each = { upstreams: { tools: server.url }, policy };
      replicas = await startReplicas(
        redis,
        Array.from({ length: started }, () => each),
      );
    }, 90_000);

    afterAll(async () => {
      await replicas?.close();
      await server?.close();
      await redis?.stop();
    });

    const urlsOf = (count: number): readonly string[] =>
      replicas.all.slice(0, count).map(({ url }) => url('tools'));
    /** Calls through each of them at the same time. */
    const ask = async (
      urls: readonly string[],
      calls: number,
      options: Parameters<typeof startGoodTraffic>[1],
    ): Promise<readonly TrafficReport[]> => {
      const traffic = urls.map((url) => startGoodTraffic(url, options));
      await Promise.all(traffic.map((one) => one.answered(Math.ceil(calls / urls.length))));
      return Promise.all(traffic.map((one) => one.stop()));
    };

    for (const count of asked) {
      fault(
        `${count} processes are asked for twice the rate`,
        'together they admit what one would, within 2 % and the burst, neither more nor less',
        async (measured) => {
          const calls: TimedCall[] = [];
          const begun = performance.now();
          const reports = await ask(urlsOf(count), scale(600, 20_000), {
            perSecond: (2 * perSecond) / count,
            tool: `busy-${count}`,
            onCall: (begun, ended, wrong) => calls.push(timed(begun, ended, wrong)),
          });
          const seconds = (performance.now() - begun) / 1000;
          const admitted = sum(reports, ({ right }) => right);
          const sent = sum(reports, (report) => report.sent);
          const wrong = reports.flatMap(({ wrong: kinds }) => [...kinds.keys()]);
          // A store that was late once on a busy machine makes a limit refuse, which admits less and never more.
          expect(wrong.filter((kind) => !kind.includes('4290') && !kind.includes('5030'))).toEqual([]);
          const one = perSecond * seconds;
          measured(
            `${admitted} of ${sent} admitted in ${seconds.toFixed(2)} s by ${count} processes; one admits up to ${Math.floor(one + burst)}`,
          );
          expect(admitted).toBeLessThanOrEqual(one * 1.02 + burst);
          const uncounted = sum(reports, decidedWithout);
          measured(`${uncounted} refused because the store was late`);
          // Not counted in seconds: a machine that is busy sends less, and then there is nothing to admit.
          expect(missingCalls(calls, { perSecond, burst, lost: 0.02 })).toBe(0);
        },
        scale(120_000, 600_000),
      );

      fault(
        `${count} processes share a budget`,
        'it is spent to its end by whole calls, and never beyond',
        async (measured) => {
          const reports = await ask(urlsOf(count), 60, {
            perSecond: 80 / count,
            tool: `pay-${count}`,
            arguments: { amount },
          });
          const admitted = sum(reports, ({ right }) => right);
          const uncounted = sum(reports, decidedWithout);
          measured(`${admitted * amount} of 100 spent; ${uncounted} refused because the store was late`);
          expect(admitted).toBeLessThanOrEqual(paid);
          // What a late answer charged stays charged.
          expect(admitted + uncounted).toBeGreaterThanOrEqual(paid);
        },
      );

      fault(
        `${count} processes share ${places} places`,
        'so many calls run at the same time and not one more, and places that are given back are free for all',
        async (measured) => {
          const go = Promise.withResolvers<void>();
          let running = 0;
          server.on('tools/call', async ({ id }) => {
            running += 1;
            await go.promise;
            return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
          });
          try {
            const { headers, body } = modern('tools/call', { name: `held-${count}`, arguments: {} });
            const urls = urlsOf(count);
            let refused = 0;
            const held: Promise<unknown>[] = [];
            const callAll = (): void => {
              for (const url of urls)
                held.push(
                  post(url, body, { headers }).then((answer) => {
                    if (codeOf(answer) !== undefined) refused += 1;
                  }),
                );
            };
            await until('all places are taken', async () => {
              callAll();
              await until('each is decided', () => running + refused === held.length);
              return running >= places;
            });
            callAll();
            await until('each is decided', () => running + refused === held.length);
            measured(`${running} ran at the same time, ${refused} were refused`);
            expect(running).toBe(places);
            go.resolve();
            await Promise.all(held);
            // Over the other end of the row: whose places they were does not matter.
            await until(
              'a place is free',
              async () => codeOf(await post(urls.at(-1)!, body, { headers })) === undefined,
            );
          } finally {
            go.resolve();
            server.on('tools/call', undefined);
          }
        },
      );
    }

    // Last, because it kills one: the greater number first.
    let killed = 0;
    for (const count of [...asked].reverse()) {
      fault(
        `${count} processes share a quota, and one of them is killed`,
        'the quota admits as many calls as it says and not one more, and the store names nobody',
        async (measured) => {
          const alive = replicas.all.slice(0, started - killed);
          const urls = alive.slice(-count).map(({ url }) => url('tools'));
          const tool = `counted-${count}`;
          const early = await ask(urls, 20, { perSecond: 40 / count, tool });
          await alive.at(-1)!.process.kill();
          killed += 1;
          const late = await ask(urls.slice(0, -1), 45, { perSecond: 60 / (count - 1), tool });
          const admitted = sum([...early, ...late], ({ right }) => right);
          const wrong = [...early, ...late].flatMap(({ wrong: kinds }) => [...kinds.keys()]);
          expect(wrong.filter((kind) => !kind.includes('4290') && !kind.includes('5030'))).toEqual([]);
          const uncounted = sum([...early, ...late], decidedWithout);
          measured(
            `${admitted} calls admitted of a quota of ${quota}; ${uncounted} refused because the store was late`,
          );
          expect(admitted).toBeLessThanOrEqual(quota);
          expect(admitted + uncounted).toBeGreaterThanOrEqual(quota);
          const dump = await dumpRedis(redis);
          for (const name of ['tester', 'busy', 'counted', 'few', 'tools', 'pay'])
            expect(dump).not.toContain(name);
          expect(dump).toContain('{sallyport}:month:');
        },
        60_000,
      );
    }
  });

function sum(reports: readonly TrafficReport[], of: (report: TrafficReport) => number): number {
  return reports.reduce((all, report) => all + of(report), 0);
}

/** Calls that were refused because the store was late, as it may be on a busy machine. */
function decidedWithout({ wrong }: TrafficReport): number {
  let times = 0;
  for (const [kind, count] of wrong) if (kind.includes('5030')) times += count;
  return times;
}

/** Half a second, and the silence after which a connection is given up: a late answer may have been charged until then. */
const longestChargeMs = 2500;

function timed(begun: number, ended: number, wrong: string | undefined): TimedCall {
  if (wrong === undefined) return { begun, ended, outcome: 'admitted' };
  return wrong.includes('4290')
    ? { begun, ended, outcome: 'refused' }
    : { begun, ended: ended + longestChargeMs, outcome: 'unknown' };
}
