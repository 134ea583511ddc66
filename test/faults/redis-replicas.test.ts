import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { dumpRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startGoodTraffic, type TrafficReport } from './good-traffic.ts';
import { sessionKey } from './redis-stage.ts';
import { fault, scale } from './table.ts';

const perSecond = 100;
const burst = 20;

const policy = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"] }
      - { methods: ["**"] }
bindings:
  - roles: [everything]
    to:
      - any: true
limits:
  - { name: all, match: { tools: [busy] }, per: tool, rate: ${perSecond}/s, burst: ${burst}, onStoreLoss: deny }
  - { name: few, match: { tools: [counted] }, per: tool, quota: 40/month, onStoreLoss: deny }
`;

describe('several gateway processes on one Redis', () => {
  let redis: TestRedis;
  let server: Recorder;

  beforeAll(async () => {
    redis = await startRedis();
    server = await startRecorder();
  });
  afterAll(async () => {
    await server?.close();
    await redis?.stop();
  });

  async function withProcesses(
    count: number,
    run: (urls: readonly string[], processes: readonly GatewayProcess[]) => Promise<void>,
  ): Promise<void> {
    const folders: GatewayFolder[] = [];
    const processes: GatewayProcess[] = [];
    try {
      for (let index = 0; index < count; index += 1) {
        const folder = await prepareGateway({
          door: 'plain',
          upstreams: { tools: server.url },
          policy,
          files: { 'session.key': sessionKey },
          config: {
            session: { keys: ['session.key'] },
            store: { redis: { url: redis.url, replicas: count, prefix: `of-${count}` } },
            log: { level: 'info' },
          },
        });
        folders.push(folder);
        processes.push(await startGatewayProcess(folder.file));
      }
      await run(
        processes.map(({ url }) => `${url}/tools/mcp`),
        processes,
      );
    } finally {
      for (const one of processes) await one.kill();
      for (const folder of folders) folder.remove();
    }
  }

  for (const count of [2, 4]) {
    fault(
      `${count} processes are asked for twice the rate`,
      'together they admit what one would, within 2 % and the burst',
      (measured) =>
        withProcesses(count, async (urls) => {
          const begun = performance.now();
          const traffic = urls.map((url) =>
            startGoodTraffic(url, { perSecond: (2 * perSecond) / count, tool: 'busy' }),
          );
          await Promise.all(traffic.map((one) => one.answered(scale(1000, 20_000) / count)));
          const reports = await Promise.all(traffic.map((one) => one.stop()));
          const seconds = (performance.now() - begun) / 1000;
          const admitted = sum(reports, ({ right }) => right);
          const sent = sum(reports, (report) => report.sent);
          const wrong = reports.flatMap(({ wrong: kinds }) => [...kinds.keys()]);
          // A store that was late once on a busy machine makes a limit refuse, which admits less and never more.
          expect(wrong.every((kind) => kind.includes('4290') || kind.includes('5030'))).toBe(true);
          const one = perSecond * seconds;
          measured(
            `${admitted} of ${sent} admitted in ${seconds.toFixed(2)} s by ${count} processes; one admits up to ${Math.floor(one + burst)}`,
          );
          expect(admitted).toBeLessThanOrEqual(one * 1.02 + burst);
          const uncounted = sum(reports, decidedWithout);
          measured(`${uncounted} refused because the store was late`);
          // From below it is bound by the traffic too: only where that kept its pace, and the store was never late.
          if (uncounted === 0 && sent / seconds > 1.5 * perSecond)
            expect(admitted).toBeGreaterThanOrEqual(one * 0.98 - burst);
        }),
      90_000,
    );

    fault(
      `${count} processes share a quota, and one of them is killed`,
      'the quota admits as many calls as it says and not one more, and the store names nobody',
      (measured) =>
        withProcesses(count, async (urls, processes) => {
          const first = urls.map((url) => startGoodTraffic(url, { perSecond: 20, tool: 'counted' }));
          await Promise.all(first.map((one) => one.answered(5)));
          const early = await Promise.all(first.map((one) => one.stop()));
          await processes[0]!.kill();
          const second = urls
            .slice(1)
            .map((url) => startGoodTraffic(url, { perSecond: 40, tool: 'counted' }));
          await Promise.all(second.map((one) => one.answered(45)));
          const late = await Promise.all(second.map((one) => one.stop()));
          const admitted = sum([...early, ...late], ({ right }) => right);
          const uncounted = sum([...early, ...late], decidedWithout);
          measured(
            `${admitted} calls admitted of a quota of 40; ${uncounted} refused because the store was late`,
          );
          expect(admitted).toBeLessThanOrEqual(40);
          // What a late answer charged stays charged.
          expect(admitted + uncounted).toBeGreaterThanOrEqual(40);
          const dump = await dumpRedis(redis);
          for (const name of ['tester', 'busy', 'counted', 'few', 'tools']) expect(dump).not.toContain(name);
          expect(dump).toContain(`{of-${count}}:month:`);
        }),
      90_000,
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
