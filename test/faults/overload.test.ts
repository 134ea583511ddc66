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
import { startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
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
    const { load, url, folder } = await stage({
      upstreams: { w: recorder.url },
      policy: policy(),
      // What bounds the whole is how much may be under way: the processor has little to do.
      config: { overload: { inFlight: 100, delay: 'off' } },
    });
    // Nine tenths of the bound: what callers may take who are not of high priority.
    await load.run({ url, milliseconds: 1000, callers: [caller('high', 0, 90)] });
    const alone = await load.run({ url, milliseconds: 3000, callers: [caller('high', 0, 90)] });
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
    const refused = folder
      .audit()
      .filter(({ code }) => code === 'overloaded')
      .map((line) => (line['duration'] as { total: number }).total)
      .sort((a, b) => a - b);
    const p99 = refused[Math.floor(refused.length * 0.99)]!;
    measured(`${refused.length} refusals recorded; inside the gateway p99 ${Math.round(p99 * 100) / 100} ms`);
    expectOnlyRightOrRefused(over);
    // Generous: the same processors also play the server and send three times the load.
    expect(kept).toBeGreaterThan(0.7);
    expect(rightShare(high!)).toBeGreaterThanOrEqual(0.99);
    expect(rightShare(low!)).toBeLessThan(rightShare(normal!));
    expect(refused).toHaveLength(low!.shed + normal!.shed + high!.shed);
  },
  (seconds + 60) * 1000,
);

fault(
  'three times the load that the processor can take',
  'goodput stays near the capacity, callers of high priority are served, and the others learn when to come back',
  async (measured) => {
    const { child, ready } = await startChild<{ url: string }>('server.ts', {});
    closing.push(() => (child as Child).end());
    const { load, url } = await stage({ upstreams: { w: ready.url }, policy: policy() });
    // 20 kB each way: a call costs far more than its refusal, as calls do that are looked into.
    const large = modern('tools/call', {
      name: 'write_file',
      arguments: { path: '/workspace/notes.txt', content: 'all work and no play "makes" Jack\n'.repeat(600) },
    });
    const heavy = (name: (typeof names)[number], rate: number, connections: number) =>
      caller(name, rate, connections, JSON.stringify(large.body), large.headers);
    await load.run({ url, milliseconds: 3000, callers: [heavy('normal', 0, 48)] });
    const alone = await load.run({ url, milliseconds: 3000, callers: [heavy('normal', 0, 48)] });
    const capacity = perSecond(alone);
    const over = await load.run({
      url,
      milliseconds: seconds * 1000,
      callers: [
        heavy('low', capacity, 400),
        heavy('normal', capacity * 1.9, 800),
        heavy('high', capacity * 0.1, 200),
      ],
    });
    const [low, normal, high] = names.map((name) => over.callers.get(name)!);
    const kept = perSecond(over) / capacity;
    measured(`goodput ${percent(kept)} of ${Math.round(capacity)} calls a second, over ${seconds} s`);
    tell(over, measured);
    expectOnlyRightOrRefused(over);
    // Generous: where others use the machine too, the load generator takes what the gateway had when it was measured alone.
    expect(kept).toBeGreaterThan(0.2);
    expect(rightShare(high!)).toBeGreaterThanOrEqual(0.99);
    expect(low!.shed + normal!.shed).toBeGreaterThan(0);
    expect(rightShare(low!)).toBeLessThanOrEqual(rightShare(normal!));
  },
  (seconds + 60) * 1000,
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
      config: { overload: { delay: 'off' } },
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
