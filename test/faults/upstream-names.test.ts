import { expect, onTestFinished } from 'vitest';
import type { UpstreamMessage } from '../../src/pipeline/upstream-port.ts';
import { createHttpUpstream, type HttpUpstream } from '../../src/upstream/http.ts';
import type { ResolveName } from '../../src/upstream/lookup.ts';
import { httpUpstreamOptions } from '../../src/upstream/options.ts';
import { modern } from '../support/mcp-messages.ts';
import { type CountingServer, startCountingServer } from './endpoint-server.ts';
import { fault, percent, scale } from './table.ts';

interface Stage {
  readonly server: CountingServer;
  /** How often the server was connected to is told by its calls; each try is one. */
  upstream(host: string, options?: Readonly<Record<string, unknown>>): HttpUpstream;
  readonly clock: { now: number };
  resolve: ResolveName;
}

/** Upstreams whose names are resolved as the test says, in front of one server on this machine. */
async function setStage(): Promise<Stage> {
  const server = await startCountingServer();
  const clock = { now: 0 };
  const opened: HttpUpstream[] = [];
  const stage: Stage = {
    server,
    clock,
    resolve: () => Promise.resolve(['127.0.0.1']),
    upstream(host, options = {}) {
      const url = `http://${host}:${server.port}/mcp`;
      // Connections are not kept, so that each call asks for the name.
      const parsed = httpUpstreamOptions.parse({
        url,
        timeouts: { connect: '400ms', headers: '2s' },
        ...options,
      });
      const upstream = createHttpUpstream(host, parsed, {
        resolutionMs: 5,
        monotonic: () => clock.now,
        resolve: (name) => stage.resolve(name),
      });
      opened.push(upstream);
      return upstream;
    },
  };
  onTestFinished(async () => {
    await Promise.all(opened.map((upstream) => upstream.close()));
    await server.close();
  });
  return stage;
}

let lastCall = 0;

/** One call on whatever connection there is. Gives `ok` or the code of its error. */
async function call(upstream: HttpUpstream): Promise<string> {
  lastCall += 1;
  const { body, headers } = modern('tools/call', { name: 'echo', arguments: { n: lastCall } });
  const message: UpstreamMessage = {
    verb: 'POST',
    body: Buffer.from(JSON.stringify(body)),
    headers: ['mcp-method', headers['mcp-method']!],
    longLived: false,
    signal: new AbortController().signal,
  };
  try {
    const answer = await upstream.send(message);
    return answer.kind === 'json' && answer.status === 200 ? 'ok' : answer.kind;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(code), { code }));
const never = (): Promise<never> => new Promise(() => undefined);

fault('the name service fails', 'the last good addresses go on for ten minutes', async (measured) => {
  const stage = await setStage();
  const upstream = stage.upstream('tools.internal');
  expect(await call(upstream)).toBe('ok');
  stage.resolve = failing('EAI_AGAIN');
  for (let minute = 1; minute < 10; minute += 1) {
    stage.clock.now += 60_000;
    // New connections: those from before are closed.
    await upstream.reload();
    expect(await freshCall(stage, upstream)).toBe('ok');
  }
  measured('9 calls on new connections right, over 9 minutes of a name service that fails');
});

fault(
  'the name service fails from the start',
  'calls fail within the connect time-out, and at once later',
  async () => {
    const stage = await setStage();
    stage.resolve = failing('ENOTFOUND');
    const upstream = stage.upstream('tools.internal');
    for (let index = 0; index < 10; index += 1) expect(await call(upstream)).toBe('upstream-unreachable');
    expect(upstream.standing().endpoints[0]!.breaker).toBe('open');
    expect(stage.server.calls.size).toBe(0);
  },
);

fault(
  'the name service never answers for one upstream',
  'its calls end by the connect time-out; it is asked once at a time; another upstream does not notice',
  async (measured) => {
    const stage = await setStage();
    let asked = 0;
    stage.resolve = (name) => {
      if (name === 'good.internal') return Promise.resolve(['127.0.0.1']);
      asked += 1;
      return never();
    };
    const slow = stage.upstream('slow.internal', { breaker: { failures: 10_000 } });
    const good = stage.upstream('good.internal');
    const hanging = Array.from({ length: scale(200, 1000) }, () => call(slow));
    const beside = scale(500, 5000);
    let right = 0;
    for (let index = 0; index < beside; index += 1) if ((await call(good)) === 'ok') right += 1;
    expect(right).toBeGreaterThanOrEqual(beside * 0.999);
    expect(new Set(await Promise.all(hanging))).toEqual(new Set(['upstream-timeout']));
    expect(asked).toBe(1);
    measured(
      `${hanging.length} calls hung on one question; ${percent(right / beside)} of ${beside} good calls right`,
    );
  },
);

const flips: readonly [string, readonly string[], readonly string[]][] = [
  ['a cluster name flips to the metadata service', ['127.0.0.1'], ['169.254.169.254']],
  ['a cluster name flips to an IPv6 metadata service', ['127.0.0.1'], ['fd00:ec2::254']],
  ['a cluster name flips to a disguised loopback address', ['127.0.0.1'], ['::ffff:127.0.0.1']],
  ['a cluster name flips to no host at all', ['127.0.0.1'], ['0.0.0.0']],
];
for (const [name, before, after] of flips) {
  fault(
    name,
    'nothing is dialled, calls fail, and it goes on once the name is right again',
    async (measured) => {
      const stage = await setStage();
      stage.resolve = () => Promise.resolve(before);
      const upstream = stage.upstream('tools.internal', { breaker: { failures: 10_000 } });
      expect(await call(upstream)).toBe('ok');
      stage.resolve = () => Promise.resolve(after);
      stage.clock.now += 5000;
      const seen = stage.server.calls.size;
      for (let index = 0; index < 20; index += 1)
        expect(await freshCall(stage, upstream)).toBe('upstream-unreachable');
      expect(stage.server.calls.size).toBe(seen);
      expect(upstream.standing().counts.addressesRefused).toBe(1);
      stage.resolve = () => Promise.resolve(before);
      stage.clock.now += 5000;
      expect(await freshCall(stage, upstream)).toBe('ok');
      measured('20 of 20 calls refused before a connection, counted once');
    },
  );
}

for (const address of ['127.0.0.1', '::1']) {
  fault(`a public name points at ${address}`, 'the server there is never connected to', async (measured) => {
    const stage = await setStage();
    stage.resolve = () => Promise.resolve([address]);
    const upstream = stage.upstream('mcp.example.com', { breaker: { failures: 10_000 } });
    for (let index = 0; index < 20; index += 1) expect(await call(upstream)).toBe('upstream-unreachable');
    expect(stage.server.calls.size).toBe(0);
    // The operator may say that it is meant.
    const meant = stage.upstream('mcp.example.com', { addresses: 'any' });
    if (address === '127.0.0.1') expect(await call(meant)).toBe('ok');
    measured('20 of 20 calls refused before a connection');
  });
}

/** A call on a connection of its own: the server ends those that are kept. */
async function freshCall(stage: Stage, upstream: HttpUpstream): Promise<string> {
  await stage.server.endConnections();
  return call(upstream);
}
