import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';

const names = ['normal', 'high', 'hog'] as const;
const keys = new Map(names.map((name) => [name, createApiKey(name)]));

const policy = (priority: string) => `
version: 1
roles:
  normal: { priority: ${priority}, allow: [{ tools: ["*"] }] }
  high: { priority: high, allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [normal], to: [{ apiKey: normal }] }
  - { roles: [high], to: [{ apiKey: high }, { apiKey: hog }] }
`;

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const quick = modern('tools/call', { name: 'quick', arguments: { text: 'x'.repeat(10_000) } });

/** A gateway that has so much under way that only callers of high priority are served, until it is released. */
async function overloaded(options: Partial<TestGatewayOptions> = {}): Promise<{
  gate: TestGateway;
  recorder: Recorder;
  release(): void;
}> {
  const recorder = await startRecorder();
  const free = Promise.withResolvers<void>();
  recorder.on('tools/call', async ({ id, params }) => {
    if ((params as { name: string }).name === 'slow') await free.promise;
    return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
  });
  const entries = [...keys.values()].map(({ entry }) => `  - ${JSON.stringify(entry)}\n`);
  const gate = await startTestGateway({
    door: 'plain',
    upstreams: { w: recorder.url },
    policy: policy('normal'),
    files: { 'keys.yaml': `keys:\n${entries.join('')}` },
    ...options,
    config: {
      identity: [{ apiKeys: { file: 'keys.yaml' } }],
      insecure: {},
      overload: { inFlight: 20, share: 1, delay: 'off', wait: 'off', memory: 'off' },
      ...options.config,
    },
  });
  closing.push(recorder.close, async () => {
    free.resolve();
    await gate.close();
  });
  const slow = modern('tools/call', { name: 'slow', arguments: {} });
  const tls = options.door === 'mtls' ? await gate.as('hog') : undefined;
  const calls = Array.from({ length: 18 }, () =>
    post(gate.url('w'), slow.body, {
      headers: { ...slow.headers, 'x-api-key': keys.get('hog')!.key },
      ...(tls === undefined ? {} : { tls }),
    }).catch(() => undefined),
  );
  const isSlow = (message: { params?: unknown }) => (message.params as { name?: string })?.name === 'slow';
  await expect.poll(() => recorder.messages.filter(isSlow).length).toBe(18);
  closing.push(async () => {
    free.resolve();
    await Promise.all(calls);
  });
  return { gate, recorder, release: free.resolve };
}

class Client {
  readonly socket: Socket;
  received = '';
  #read = 0;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    closing.push(() => void this.socket.destroy());
  }

  /** Status lines of the next so many answers. */
  async answers(count: number): Promise<readonly number[]> {
    const all = (): number[] =>
      [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n/g)].map(([, status]) => Number(status));
    await expect.poll(() => all().length, { timeout: 5000 }).toBeGreaterThanOrEqual(this.#read + count);
    const next = all().slice(this.#read, this.#read + count);
    this.#read += count;
    return next;
  }
}

function head(url: string, name: string, more: Readonly<Record<string, string | number>> = {}): string {
  const { host, pathname } = new URL(url);
  const key = keys.get(name as 'normal')?.key ?? name;
  const all = { host, ...quick.headers, 'content-type': 'application/json', 'x-api-key': key, ...more };
  const lines = Object.entries(all).map(([header, value]) => `${header}: ${value}\r\n`);
  return `POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

const body = JSON.stringify(quick.body);
const whole = (url: string, name: string): string =>
  head(url, name, { 'content-length': body.length }) + body;

/** A connection on which the gateway knows the caller, by one request that it refused. */
async function known(url: string): Promise<Client> {
  const client = new Client(url);
  client.socket.write(whole(url, 'normal'));
  expect(await client.answers(1)).toEqual([503]);
  return client;
}

describe('a request that need not be read to be refused', () => {
  it('is refused before its body comes, and the connection goes on after it', async () => {
    const { gate, release } = await overloaded();
    const url = gate.url('w');
    const client = await known(url);
    for (let round = 0; round < 3; round += 1) {
      client.socket.write(head(url, 'normal', { 'content-length': body.length }));
      // Nothing of the body has been sent.
      expect(await client.answers(1)).toEqual([503]);
      client.socket.write(body);
    }
    expect(client.received).toMatch(/retry-after: \d/i);
    expect(client.received).not.toMatch(/connection: close/i);
    release();
    const served = async (): Promise<number> => {
      client.socket.write(whole(url, 'normal'));
      return (await client.answers(1))[0]!;
    };
    await expect.poll(served).toBe(200);
  });

  it('keeps its place in a pipeline: each gets its own answer, and none of a caller who is served is refused', async () => {
    const { gate, recorder } = await overloaded();
    const url = gate.url('w');
    const client = await known(url);
    const before = recorder.messages.length;
    const order = ['normal', 'high', 'normal', 'high', 'normal'];
    client.socket.write(order.map((name) => whole(url, name)).join(''));
    expect(await client.answers(5)).toEqual([503, 200, 503, 200, 503]);
    expect(recorder.messages.length - before).toBe(2);
  });

  for (const [what, more, after] of [
    ['whose length nobody knows', { 'transfer-encoding': 'chunked' }, ''],
    [
      'that waits for a word before it goes on',
      { 'content-length': body.length, expect: '100-continue' },
      '',
    ],
    ['that is too long to be thrown away', { 'content-length': 2 ** 20 }, 'x'.repeat(1000)],
  ] as const) {
    it(`${what} ends its connection`, async () => {
      const { gate } = await overloaded();
      const url = gate.url('w');
      const client = await known(url);
      const closed = once(client.socket, 'close');
      client.socket.write(head(url, 'normal', more) + after);
      expect(await client.answers(1)).toEqual([503]);
      expect(client.received).toMatch(/connection: close/i);
      await closed;
    });
  }

  for (const [what, name, status] of [
    ['another caller of high priority is served', 'high', 200],
    ['a stranger is told that nobody knows it', 'spk_nobody', 401],
  ] as const) {
    it(`only its own caller is refused: on the same connection ${what}`, async () => {
      const { gate } = await overloaded();
      const url = gate.url('w');
      const client = await known(url);
      client.socket.write(whole(url, name));
      expect(await client.answers(1)).toEqual([status]);
      client.socket.write(whole(url, 'normal'));
      expect(await client.answers(1)).toEqual([503]);
    });
  }

  it('two keys in one request are nobody: not refused for the load', async () => {
    const { gate } = await overloaded();
    const url = gate.url('w');
    const client = await known(url);
    const twice = `X-Api-Key: ${keys.get('normal')!.key}\r\nx-api-key:`;
    client.socket.write(whole(url, 'normal').replace('x-api-key:', twice));
    expect(await client.answers(1)).toEqual([400]);
  });

  it('is forgotten when the policy changes: who has high priority now is served', async () => {
    const { gate } = await overloaded();
    const url = gate.url('w');
    const client = await known(url);
    await gate.setPolicy(policy('high'));
    client.socket.write(whole(url, 'normal'));
    expect(await client.answers(1)).toEqual([200]);
  });

  it('on HTTP/2 ends its stream without error, and the connection goes on', async () => {
    const { gate, release } = await overloaded({ door: 'mtls' });
    const url = new URL(gate.url('w'));
    const session = connectHttp2(url.origin, { ...(await gate.as('normal')) });
    closing.push(() => void session.destroy());
    const ask = async (send: 'all' | 'head') => {
      const stream = session.request({
        ...quick.headers,
        ':method': 'POST',
        ':path': url.pathname,
        'content-type': 'application/json',
        'x-api-key': keys.get('normal')!.key,
        'content-length': body.length,
      });
      if (send === 'all') stream.end(body);
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      stream.resume();
      await once(stream, 'close');
      return { status: headers[':status'], code: stream.rstCode };
    };
    expect(await ask('all')).toMatchObject({ status: 503 });
    for (let round = 0; round < 3; round += 1) {
      expect(await ask('head')).toEqual({ status: 503, code: constants.NGHTTP2_NO_ERROR });
    }
    release();
    await expect.poll(() => ask('all')).toMatchObject({ status: 200 });
    expect(session.closed).toBe(false);
  });
});
