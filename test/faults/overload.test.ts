import { spawnSync } from 'node:child_process';
import { afterEach, expect } from 'vitest';
import { type Child, startChild } from '../../bench/child.ts';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { type GatewayFolder, prepareGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import {
  type CallerReport,
  type LoadCaller,
  type LoadProcess,
  type LoadReport,
  startLoad,
} from '../support/load-child.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { metric } from './process-numbers.ts';
import { fault, type Measured, percent, scale } from './table.ts';

/** Callers by the priority of their role. */
const names = ['low', 'normal', 'high'] as const;
const keys = new Map(names.map((name) => [name, createApiKey(name)]));

const policy = (more = '') => `
version: 1
roles:
  low: { priority: low, allow: [{ tools: ["*"] }] }
  normal: { allow: [{ tools: ["*"] }] }
  high: { priority: high, allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [low], to: [{ apiKey: low }] }
  - { roles: [normal], to: [{ apiKey: normal }] }
  - { roles: [high], to: [{ apiKey: high }] }
${more}`;

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Stage {
  readonly folder: GatewayFolder;
  readonly gateway: GatewayProcess;
  readonly load: LoadProcess;
  readonly url: string;
}

/** Gateway and load in processes of their own, so that neither measures the other's turns of the loop. */
async function stage(options: Omit<TestGatewayOptions, 'door'>): Promise<Stage> {
  const entries = [...keys.values()].map(({ entry }) => `  - ${JSON.stringify(entry)}\n`);
  const folder = await prepareGateway({
    door: 'plain',
    // The generator opens its connections first: one that is closed unused just when its turn comes is not what is asked here.
    listener: { limits: { headersTimeout: '10m', idleTimeout: '10m' } },
    ...options,
    files: { 'keys.yaml': `keys:\n${entries.join('')}` },
    config: {
      identity: [{ apiKeys: { file: 'keys.yaml' } }],
      insecure: {},
      log: { level: 'info' },
      overload: {},
      ...options.config,
    },
  });
  closing.push(folder.remove);
  const gateway = await startGatewayProcess(folder.file);
  closing.push(gateway.kill);
  const load = startLoad();
  closing.push(load.end);
  return { folder, gateway, load, url: `${gateway.url}/w/mcp` };
}

const call = modern('tools/call', { name: 'query', arguments: { sql: 'select 1' } });

function caller(
  name: (typeof names)[number],
  perSecond: number,
  connections: number,
  body = JSON.stringify(call.body),
  headers = call.headers,
): LoadCaller {
  return {
    name,
    perSecond,
    connections,
    headers: { ...headers, 'x-api-key': keys.get(name)!.key },
    body,
  };
}

const perSecond = ({ milliseconds, callers }: LoadReport): number =>
  ([...callers.values()].reduce((sum, { right }) => sum + right, 0) / milliseconds) * 1000;

const rightShare = ({ right, sent }: CallerReport): number => right / Math.max(1, sent);

function tell(report: LoadReport, measured: Measured): void {
  for (const { name, sent, right, shed, rightP50, rightP99, shedP50, shedP99 } of report.callers.values()) {
    const refused = shed === 0 ? '' : `, ${shed} refused (p50 ${shedP50} ms, p99 ${shedP99} ms)`;
    measured(`${name}: ${right} of ${sent} right (p50 ${rightP50} ms, p99 ${rightP99} ms)${refused}`);
  }
}

/** Nothing but right answers and refusals that say when to come back. */
function expectOnlyRightOrRefused(report: LoadReport): void {
  for (const one of report.callers.values()) {
    expect(one.wrong, one.name).toEqual([]);
    expect(one.withoutRetryAfter, one.name).toBe(0);
  }
}

const seconds = scale(6, 180);

fault(
  'three times the load that a slow server can take',
  'what it can take is answered throughout, all else is refused at once with 503 and Retry-After, low priority first and high priority never',
  async (measured) => {
    const recorder = await startRecorder();
    closing.push(recorder.close);
    recorder.on('tools/call', async ({ id }) => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    const { load, url, folder, gateway } = await stage({
      upstreams: { w: recorder.url },
      policy: policy(),
      // What bounds the whole is how much may be under way: the processor has little to do. One caller stands for all of
      // its priority here.
      config: { overload: { inFlight: 100, share: 1, delay: 'off', wait: 'off' } },
    });
    // Nine tenths of the bound: what callers may take who are not of high priority.
    const ninety = [caller('high', 0, 90)];
    await load.run({ url, milliseconds: 1000, callers: ninety });
    const alone = await load.run({ url, milliseconds: 3000, callers: ninety });
    const capacity = perSecond(alone);
    const over = await load.run({
      url,
      milliseconds: seconds * 1000,
      callers: [
        caller('low', capacity, 200),
        caller('normal', capacity * 1.97, 400),
        // So few that the tenth that is kept for them has room even where the machine stalls them into one burst.
        caller('high', capacity * 0.03, 50),
      ],
    });
    const [low, normal, high] = names.map((name) => over.callers.get(name)!);
    const kept = perSecond(over) / capacity;
    measured(`goodput ${percent(kept)} of ${Math.round(capacity)} calls a second, over ${seconds} s`);
    tell(over, measured);
    expectOnlyRightOrRefused(over);
    // Generous: the same processors also play the server and send three times the load.
    expect(kept).toBeGreaterThan(0.7);
    expect(rightShare(high!)).toBeGreaterThanOrEqual(0.99);
    expect(rightShare(low!)).toBeLessThan(rightShare(normal!));
    gateway.signal('SIGTERM');
    await gateway.ended;
    expect(refusalsOf(folder)).toBe(low!.shed + normal!.shed + high!.shed);
  },
  (seconds + 60) * 1000,
);

/** Gateway on one processor, all else on the other, where there is a `taskset`: neither then starves the other. */
function keepApart(gateway: number, others: readonly number[]): boolean {
  const pin = (processor: number, pid: number): boolean =>
    spawnSync('taskset', ['-apc', String(processor), String(pid)]).status === 0;
  return pin(0, gateway) && others.every((pid) => pin(1, pid));
}

const rounds = scale(2, 12);
/** So long that most requests come over connections whose callers are known, as with clients that keep them. */
const roundMs = scale(6000, 15_000);

fault(
  'three times the load that the processor can take',
  'a good answer costs hardly more of the processor than without the overload, so goodput holds; callers of high priority are served, and the others learn when to come back',
  async (measured) => {
    const { child, ready } = await startChild<{ url: string }>('server.ts', {});
    closing.push(() => (child as Child).end());
    const { load, url, gateway, folder } = await stage({ upstreams: { w: ready.url }, policy: policy() });
    // 20 kB each way: a call costs far more than its refusal, as calls do that are looked into.
    const large = modern('tools/call', {
      name: 'write_file',
      arguments: { path: '/workspace/notes.txt', content: 'all work and no play "makes" Jack\n'.repeat(600) },
    });
    const heavy = (name: (typeof names)[number], rate: number, connections: number) =>
      caller(name, rate, connections, JSON.stringify(large.body), large.headers);
    const apart = keepApart(gateway.pid, [load.pid]);
    const run = (milliseconds: number, callers: readonly LoadCaller[]) =>
      load.run({ url, milliseconds, callers, watch: gateway.pid });
    const before = await run(2000, [heavy('normal', 0, 32)]);
    // In turns, so that what else the machine has to do meanwhile falls on both alike.
    const alone: LoadReport[] = [];
    const over: LoadReport[] = [];
    for (let round = 0; round < rounds; round += 1) {
      alone.push(await run(2000, [heavy('normal', 0, 32)]));
      const capacity = perSecond(alone.at(-1)!);
      over.push(
        await run(roundMs, [
          // So many connections that callers do not slow down by waiting for their answers.
          heavy('low', capacity, 400),
          heavy('normal', capacity * 1.9, 760),
          heavy('high', capacity * 0.1, 60),
        ]),
      );
    }
    const [atOnce, atThree] = [alone, over].map(sumOf) as [Sum, Sum];
    const cost = atThree.cpu / atThree.right / (atOnce.cpu / atOnce.right);
    const kept = atThree.right / atThree.seconds / (atOnce.right / atOnce.seconds);
    const each = (sum: Sum): string => `${Math.round((sum.cpu / sum.right) * 1e6)} µs`;
    measured(
      `a good answer costs ${each(atOnce)} of the gateway's processor alone and ${each(atThree)} at ` +
        `${Math.round((atThree.sent / atThree.seconds / (atOnce.right / atOnce.seconds)) * 10) / 10} times the load`,
    );
    measured(
      `goodput by the clock ${percent(kept)} of ${Math.round(atOnce.right / atOnce.seconds)} calls a second` +
        `${apart ? '' : ', on shared processors'}` +
        `${atThree.ownShare > 0.9 ? '; the load generator was at its own limit' : ''}`,
    );
    for (const report of over.slice(-1)) tell(report, measured);
    for (const report of over) {
      expectOnlyRightOrRefused(report);
      const { high, normal } = Object.fromEntries(report.callers) as Record<string, CallerReport>;
      expect(rightShare(high!)).toBeGreaterThanOrEqual(0.99);
      // They stand in line before others, and who is refused does not stand in line at all.
      expect(high!.rightP50).toBeLessThan(normal!.rightP50);
      expect(normal!.shedP50).toBeLessThan(normal!.rightP50);
    }
    expect(atThree.shed).toBeGreaterThan(0);
    // Of the processor, because that is the same whoever else uses the machine.
    expect(cost).toBeLessThanOrEqual(1.4);
    gateway.signal('SIGTERM');
    await gateway.ended;
    expect(refusalsOf(folder)).toBe(atThree.shed + atOnce.shed + sumOf([before]).shed);
  },
  (rounds * (roundMs / 1000 + 6) + 60) * 1000,
);

interface Sum {
  readonly seconds: number;
  readonly cpu: number;
  readonly sent: number;
  readonly right: number;
  readonly shed: number;
  /** The most that the generator took of its processor. */
  readonly ownShare: number;
}

function sumOf(reports: readonly LoadReport[]): Sum {
  const all = reports.flatMap(({ callers }) => [...callers.values()]);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  return {
    seconds: total(reports.map(({ milliseconds }) => milliseconds)) / 1000,
    cpu: total(reports.map(({ watchedCpu }) => watchedCpu)),
    sent: total(all.map(({ sent, unsent }) => sent + unsent)),
    right: total(all.map(({ right }) => right)),
    shed: total(all.map(({ shed }) => shed)),
    ownShare: Math.max(...reports.map(({ ownShare }) => ownShare)),
  };
}

/** How many refusals the records tell of: one may stand for many. */
function refusalsOf(folder: GatewayFolder): number {
  return folder
    .audit()
    .filter(({ code }) => code === 'overloaded')
    .reduce((sum, { times }) => sum + ((times as number | undefined) ?? 1), 0);
}

fault(
  'a machine that sleeps, stalls and reads, below its capacity',
  'a late loop that callers did not bring about refuses none of them, and what waited meanwhile is served',
  async (measured) => {
    const recorder = await startRecorder();
    closing.push(recorder.close);
    recorder.on('tools/call', ({ id, params }) => {
      const { name } = params as { name: string };
      const text = 'x'.repeat(name === 'large' ? 12 * 2 ** 20 : 10);
      return {
        kind: 'json',
        body: result(id, { resultType: 'complete', content: [{ type: 'text', text }] }),
      };
    });
    const many = Array.from(
      { length: 2000 },
      (_, index) => `  role${index}: { allow: [{ tools: [tool${index}] }] }\n`,
    );
    const { load, url, gateway, folder } = await stage({ upstreams: { w: recorder.url }, policy: policy() });
    const hold = async (ms: number): Promise<void> => {
      gateway.signal('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, ms));
      gateway.signal('SIGCONT');
    };
    let highest = 0;
    const watching = setInterval(() => {
      void metric(gateway.adminUrl, 'sallyport_overload_level').then((level) => {
        highest = Math.max(highest, level);
      });
    }, 100);
    closing.push(() => clearInterval(watching));
    const key = keys.get('normal')!.key;
    const big = (name: string, text: string) => {
      const { headers, body } = modern('tools/call', { name, arguments: { sql: text } });
      return post(url, body, { headers: { ...headers, 'x-api-key': key } });
    };
    const causes: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['its start', async () => undefined],
      ['sleep of 2 s', () => hold(2000)],
      [
        'its processor taken for 80 of 100 ms',
        async () => {
          for (let turn = 0; turn < 15; turn += 1) {
            await hold(80);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
      ],
      ['a body of 3 MiB', () => big('query', 'x'.repeat(3 * 2 ** 20))],
      ['a result of 12 MiB', () => big('large', '')],
      [
        'a policy of 2,000 roles',
        async () => {
          folder.write('policies/more.yaml', `version: 1\nroles:\n${many.join('')}`);
          gateway.signal('SIGHUP');
          await new Promise((resolve) => setTimeout(resolve, 1500));
        },
      ],
      ['silence of 1 s before 60 at once', () => new Promise((resolve) => setTimeout(resolve, 1000))],
    ];
    for (const [cause, happen] of causes) {
      const names = ['low', 'normal'] as const;
      const steady = load.run({
        url,
        milliseconds: 2500,
        // Fewer a second than a tenth of what it can do, and enough that the level looks at the loop after each pause.
        callers: cause.startsWith('silence') ? [] : names.map((name) => caller(name, 20, 40)),
      });
      const answer = await happen();
      const report = await steady;
      if (answer !== undefined) expect(answer).toMatchObject({ status: 200 });
      if (cause.startsWith('silence')) {
        const burst = await load.run({ url, milliseconds: 50, callers: [caller('normal', 1200, 60)] });
        expect(rightShare(burst.callers.get('normal')!), cause).toBe(1);
      }
      for (const one of report.callers.values()) {
        expect(one.wrong, cause).toEqual([]);
        expect(one.shed, cause).toBe(0);
      }
      measured(`${cause}: highest level ${Math.round(highest * 10) / 10}`);
      highest = 0;
    }
  },
  90_000,
);

fault(
  'one caller of low priority who sends as many heavy calls as it can',
  'it is the one who is refused: callers of normal and of high priority are served beside it',
  async (measured) => {
    const { child, ready } = await startChild<{ url: string }>('server.ts', {});
    closing.push(() => (child as Child).end());
    const { load, url, gateway } = await stage({ upstreams: { w: ready.url }, policy: policy() });
    keepApart(gateway.pid, [load.pid]);
    const large = modern('tools/call', {
      name: 'write_file',
      arguments: {
        path: '/workspace/notes.txt',
        content: 'all work and no play "makes" Jack\n'.repeat(6000),
      },
    });
    const report = await load.run({
      url,
      milliseconds: scale(8, 60) * 1000,
      callers: [
        // First, because new connections wait behind the turns of the loop: Node accepts one in each.
        caller('normal', 20, 40),
        caller('high', 20, 40),
        caller('low', 0, 64, JSON.stringify(large.body), large.headers),
      ],
    });
    tell(report, measured);
    expectOnlyRightOrRefused(report);
    const [low, normal, high] = names.map((name) => report.callers.get(name)!);
    expect(rightShare(high!)).toBe(1);
    expect(rightShare(normal!)).toBeGreaterThan(0.9);
    expect(normal!.rightP50).toBeLessThan(low!.rightP50);
    expect(high!.rightP50).toBeLessThan(low!.rightP50);
    // Whether it is refused at all depends on who tires first: this gateway, the server or the generator.
    expect(low!.shed).toBeGreaterThanOrEqual(normal!.shed);
  },
  scale(60, 120) * 1000,
);

fault(
  'one caller at 100 times its rate, beside a good one',
  'the one is told to slow down each time, the other feels nothing',
  async (measured) => {
    const recorder = await startRecorder();
    closing.push(recorder.close);
    recorder.on('tools/call', ({ id }) => ({
      kind: 'json',
      body: result(id, { resultType: 'complete', content: [] }),
    }));
    const { load, url } = await stage({
      upstreams: { w: recorder.url },
      policy: policy(
        'limits:\n  - { name: own, match: { tools: ["*"] }, per: principal, rate: 10/s, burst: 10 }\n',
      ),
      // The limit alone has to keep them apart.
      config: { overload: { delay: 'off', wait: 'off' } },
    });
    const good = startGoodTraffic(url, {
      perSecond: 8,
      tool: 'query',
      headers: { 'x-api-key': keys.get('normal')!.key },
    });
    const flood = await load.run({
      url,
      milliseconds: scale(8, 120) * 1000,
      callers: [caller('low', 1000, 64)],
    });
    const report = await good.stop();
    const { sent, right, wrong, shed } = flood.callers.get('low')!;
    measured(`${sent} calls in ${Math.round(flood.milliseconds / 1000)} s at 10/s: ${right} admitted`);
    expectUnharmed(report, measured);
    // The burst, what the time brought, and as much again for a run that took longer than it should.
    expect(right).toBeLessThanOrEqual(10 + (flood.milliseconds / 1000) * 10 + 20);
    const limited = wrong.filter(([kind]) => kind.includes('"rate-limited"'));
    expect(limited.reduce((sum, [, count]) => sum + count, 0) + shed + right).toBe(sent);
  },
  scale(60, 200) * 1000,
);
