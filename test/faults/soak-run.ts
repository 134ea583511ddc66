/** Mixed honest traffic and chaos for as long as one likes, against a gateway in a process of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChaosProxy } from '../support/chaos-proxy.ts';
import { connectClient } from '../support/clients.ts';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { openPolicy, prepareGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { connectInspector, freePort } from '../support/inspector.ts';
import { initialize, modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { startGoodTraffic } from './good-traffic.ts';

export interface SoakSample {
  /** Seconds since the traffic began. */
  readonly at: number;
  /** MiB. */
  readonly resident: number;
  /** MiB of JavaScript objects once all garbage is collected. */
  readonly heap: number;
  readonly descriptors: number;
  readonly children: number;
}

export interface SoakReport {
  readonly samples: readonly SoakSample[];
  /** Before any traffic, and once all of it is over. */
  readonly before: SoakSample;
  readonly after: SoakSample;
  /** MiB that the heap grew a minute once it was warm. */
  readonly heapSlope: number;
  readonly sent: number;
  readonly right: number;
  readonly wrong: ReadonlyMap<string, number>;
  /** How often each kind of trouble was made. */
  readonly troubles: Readonly<Record<string, number>>;
}

export interface SoakOptions {
  readonly milliseconds: number;
  /** Between two samples. */
  readonly every: number;
  onSample?(sample: SoakSample): void;
}

/** Runs the soak. Ends everything that it started. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const fixture = await startEverythingFixture();
  const recorder = await startRecorder();
  const proxy = await startChaosProxy(new URL(recorder.url));
  const folder = await prepareGateway({
    upstreams: { fixture: fixture.url, shaky: proxy.url('/mcp') },
    door: 'plain',
    policy: openPolicy,
    schemas: 'off',
    config: { log: { level: 'info' } },
  });
  const port = await freePort();
  const gateway = await startGatewayProcess(folder.file, 60_000, {
    NODE_OPTIONS: `--inspect=127.0.0.1:${port}`,
  });
  const inspector = await connectInspector(port);
  const startedAt = performance.now();
  const sample = async (): Promise<SoakSample> => ({
    at: Math.round((performance.now() - startedAt) / 100) / 10,
    heap: (await inspector.heapAfterCollection()) / 2 ** 20,
    resident: residentOf(gateway.pid),
    descriptors: readdirSync(`/proc/${gateway.pid}/fd`).length,
    children: childrenOf(gateway.pid),
  });
  try {
    const before = await sample();
    const samples: SoakSample[] = [];
    const good = startGoodTraffic(`${gateway.url}/fixture/mcp`, { perSecond: 20, tool: 'test_simple_text' });
    const sessions = { sent: 0, right: 0, wrong: new Map<string, number>() };
    const troubles = { resets: 0, 'client aborts': 0, reloads: 0, floods: 0, 'dropped streams': 0 };
    let running = true;
    const honest = (['modern', 'legacy'] as const).map(async (era) => {
      while (running) {
        await useOfficialClient(`${gateway.url}/fixture/mcp`, era, sessions);
        await sleep(50);
      }
    });
    const trouble = makeTroubles(gateway.url, () => running, troubles, {
      reload: () => gateway.signal('SIGHUP'),
      chaos: (round) => {
        proxy.set(chaosOf[round % chaosOf.length]!);
        proxy.resetAll();
      },
    });
    while (performance.now() - startedAt < options.milliseconds) {
      await sleep(options.every);
      const taken = await sample();
      samples.push(taken);
      options.onSample?.(taken);
    }
    running = false;
    await Promise.all([...honest, trouble]);
    const report = await good.stop();
    for (const [what, count] of report.wrong)
      sessions.wrong.set(what, (sessions.wrong.get(what) ?? 0) + count);
    // Kept connections to servers are not leaks: the servers end them here.
    proxy.resetAll();
    await Promise.all([fixture.close(), recorder.close(), proxy.close()]);
    let after = await sample();
    for (let tries = 0; tries < 40 && after.descriptors > before.descriptors; tries += 1) {
      await sleep(250);
      after = await sample();
    }
    return {
      samples,
      before,
      after,
      heapSlope: slopeOf(samples.slice(Math.floor(samples.length / 3))),
      sent: report.sent + sessions.sent,
      right: report.right + sessions.right,
      wrong: sessions.wrong,
      troubles,
    };
  } finally {
    inspector.close();
    await gateway.kill();
    folder.remove();
  }
}

const chaosOf = [
  {},
  { down: { resetAfter: 0 } },
  { down: { truncateAfter: 200 } },
  { refuse: true },
  { down: { delay: 50, jitter: 50, slice: 64 } },
  { up: { resetAfter: 100 } },
  { down: { flipAt: 300 } },
];

/** A session of an official client: what people do, and whether each answer was right. */
async function useOfficialClient(
  url: string,
  era: 'modern' | 'legacy',
  counts: { sent: number; right: number; readonly wrong: Map<string, number> },
): Promise<void> {
  const check = async (what: string, ask: () => Promise<boolean>): Promise<void> => {
    counts.sent += 1;
    const outcome = await ask().catch((error: Error) => error.message.slice(0, 120));
    if (outcome === true) counts.right += 1;
    else {
      const told = `${era} ${what}: ${outcome}`;
      counts.wrong.set(told, (counts.wrong.get(told) ?? 0) + 1);
    }
  };
  let connected: Awaited<ReturnType<typeof connectClient>> | undefined;
  await check('connect', async () => {
    connected = await connectClient(url, undefined, era);
    return true;
  });
  if (connected === undefined) return;
  const { client } = connected;
  await check('list', async () => (await client.listTools()).tools.length > 0);
  for (let times = 0; times < 5; times += 1) {
    await check('call', async () => {
      const { content } = (await client.callTool({ name: 'test_simple_text', arguments: {} })) as {
        content: readonly unknown[];
      };
      return content.length === 1;
    });
  }
  await check(
    'read',
    async () => (await client.readResource({ uri: 'test://static-text' })).contents.length > 0,
  );
  await connected.close();
}

async function makeTroubles(
  url: string,
  running: () => boolean,
  troubles: Record<string, number>,
  make: { reload(): void; chaos(round: number): void },
): Promise<void> {
  const add = (what: string, count: number): void => {
    troubles[what] = (troubles[what] ?? 0) + count;
  };
  for (let round = 0; running(); round += 1) {
    make.chaos(round);
    add('resets', 1);
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const shaky = Array.from({ length: 10 }, () =>
      post(`${url}/shaky/mcp`, body, { headers }).catch(() => undefined),
    );
    await Promise.all([...shaky, ...Array.from({ length: 10 }, () => callAndLeave(`${url}/fixture/mcp`))]);
    add('client aborts', 10);
    await dropStream(`${url}/fixture/mcp`).catch(() => undefined);
    add('dropped streams', 1);
    if (round % 5 === 1) {
      make.reload();
      add('reloads', 1);
    }
    if (round % 5 === 3) {
      const garbage = Array.from({ length: 100 }, (_, index) =>
        post(
          `${url}/fixture/mcp`,
          index % 2 === 0 ? '{"jsonrpc":' : { jsonrpc: '2.0', id: 1, method: 'no/such' },
        ).catch(() => undefined),
      );
      await Promise.all(garbage);
      add('floods', 1);
    }
    await sleep(100);
  }
}

/** Sends a call, and leaves before its answer. */
function callAndLeave(url: string): Promise<void> {
  return new Promise((resolve) => {
    const { headers, body } = modern('tools/call', { name: 'test_simple_text', arguments: {} });
    const text = JSON.stringify(body);
    const sent = request(url, {
      method: 'POST',
      agent: new Agent(),
      headers: { ...headers, 'content-length': Buffer.byteLength(text) },
    });
    sent.on('error', () => resolve());
    sent.on('close', () => resolve());
    sent.end(text, () => setTimeout(() => sent.destroy(), Math.random() * 5));
  });
}

/** Opens a session and its stream, and lets both lie. */
async function dropStream(url: string): Promise<void> {
  const opened = await post(url, initialize());
  const id = opened.headers['mcp-session-id'];
  if (id === undefined) return;
  const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
  // A server may say nothing for a while, not even the head of its answer: then the client leaves before it.
  const stream = await openStream('GET', url, { headers, signal: AbortSignal.timeout(500) });
  stream.abort();
}

function residentOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

function childrenOf(pid: number): number {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length;
}

/** MiB a minute, by least squares. */
function slopeOf(samples: readonly SoakSample[]): number {
  if (samples.length < 2) return 0;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length;
  const at = mean(samples.map((one) => one.at / 60));
  const heap = mean(samples.map((one) => one.heap));
  let covariance = 0;
  let variance = 0;
  for (const one of samples) {
    covariance += (one.at / 60 - at) * (one.heap - heap);
    variance += (one.at / 60 - at) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}
