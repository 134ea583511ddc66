import { afterEach, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';

const names = ['low', 'normal', 'high', 'other'] as const;
type Name = (typeof names)[number];
const keys = new Map(names.map((name) => [name, createApiKey(name)]));

const policy = `
version: 1
roles:
  low: { priority: low, allow: [{ tools: ["*"] }] }
  normal: { allow: [{ tools: ["*"] }] }
  high: { priority: high, allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [low], to: [{ apiKey: low }] }
  - { roles: [normal], to: [{ apiKey: normal }, { apiKey: other }] }
  - { roles: [high], to: [{ apiKey: high }] }
`;

describe('what hangs', () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  interface Stage {
    readonly gate: TestGateway;
    readonly recorder: Recorder;
    /** Answers all calls that hang. */
    release(): void;
    call(name: Name, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
    /** Calls, and waits until they have come to the server. */
    hang(name: Name, count: number): Promise<readonly Promise<RawAnswer>[]>;
  }

  async function stage(overload: Readonly<Record<string, unknown>>): Promise<Stage> {
    const recorder = await startRecorder();
    const free = Promise.withResolvers<void>();
    recorder.on('tools/call', async ({ id, params }) => {
      if ((params as { name: string }).name === 'slow') await free.promise;
      return { kind: 'json', body: result(id, { content: [] }) };
    });
    const entries = [...keys.values()].map(({ entry }) => `  - ${JSON.stringify(entry)}\n`);
    const gate = await startTestGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      policy,
      files: { 'keys.yaml': `keys:\n${entries.join('')}` },
      config: {
        identity: [{ apiKeys: { file: 'keys.yaml' } }],
        insecure: {},
        overload: { delay: 'off', wait: 'off', memory: 'off', ...overload },
      },
    });
    closing.push(recorder.close, async () => {
      free.resolve();
      await gate.close();
    });
    const call: Stage['call'] = (
      name,
      body = legacy('tools/call', { name: 'quick', arguments: {} }),
      headers = {},
    ) => post(gate.url('w'), body, { headers: { ...headers, 'x-api-key': keys.get(name)!.key } });
    return {
      gate,
      recorder,
      release: free.resolve,
      call,
      async hang(name, count) {
        const before = recorder.messages.length;
        const calls = Array.from({ length: count }, () =>
          call(name, legacy('tools/call', { name: 'slow', arguments: {} })),
        );
        await expect.poll(() => recorder.messages.length - before).toBe(count);
        return calls;
      },
    };
  }

  for (const name of ['low', 'high'] as const) {
    it(`one caller of ${name} priority, with as many calls as it can open, shuts nobody out`, async () => {
      const { gate, call, hang, release } = await stage({ inFlight: 16 });
      const hanging = await hang(name, 8);
      const refused = await Promise.all(Array.from({ length: 16 }, () => call(name)));
      for (const { status, headers } of refused) {
        expect(status).toBe(503);
        expect(headers['retry-after']).toMatch(/^\d+$/);
      }
      // Not one of another caller, whatever its priority, in as many tries.
      for (const other of names.filter((one) => one !== name)) {
        for (let tries = 0; tries < 8; tries += 1) expect((await call(other)).status).toBe(200);
      }
      expect(await gate.metrics()).toContain('sallyport_shed_total{upstream="w",what="share"} 16');
      release();
      for (const { status } of await Promise.all(hanging)) expect(status).toBe(200);
      expect((await call(name)).status).toBe(200);
    });
  }

  it('a caller alone may have all of it where the operator says so', async () => {
    const { call, hang, release } = await stage({ inFlight: 16, share: 1 });
    const hanging = await hang('high', 16);
    expect((await call('high')).status).toBe(503);
    release();
    await Promise.all(hanging);
    expect((await call('high')).status).toBe(200);
  });

  it('what frees something passes beyond the share, and a call that looks like it does not', async () => {
    const { call, hang, gate, recorder } = await stage({ inFlight: 16 });
    await hang('normal', 8);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    expect((await call('normal', cancel)).status).toBe(202);
    const text = JSON.stringify(legacy('tools/call', { name: 'quick', arguments: {} }));
    const disguises = [
      legacy('tools/call', { name: 'quick', arguments: { text: '"notifications/' } }),
      legacy('tools/call', { name: 'quick', arguments: { '"notifications/': 1 } }),
      legacy('tools/call', { name: 'quick', arguments: { 'notifications/cancelled': true } }),
      legacy('tools/call', { name: 'quick', arguments: {} }, '"notifications/'),
      { ...legacy('tools/call', { name: 'quick', arguments: {} }), 'notifications/x': 1 },
      text.replace('"method"', '"\\u006dethod"'),
      text.replace('"method"', '"meth\\u006fd"'),
    ];
    const before = recorder.messages.length;
    for (const disguise of disguises) {
      const body = typeof disguise === 'string' ? Buffer.from(disguise) : disguise;
      const { status } = await call('normal', body);
      expect([400, 503], JSON.stringify(disguise)).toContain(status);
    }
    expect(recorder.messages.length).toBe(before);
    expect(await gate.metrics()).toContain('what="share"');
  });

  it('nor beyond the bound of the whole', async () => {
    const { call, hang, recorder } = await stage({ inFlight: 16, share: 1 });
    await hang('high', 16);
    const before = recorder.messages.length;
    const disguise = legacy('tools/call', { name: 'quick', arguments: { text: '"notifications/' } });
    expect((await call('high', disguise)).status).toBe(503);
    expect((await call('low', disguise)).status).toBe(503);
    expect(recorder.messages.length).toBe(before);
  });

  it('records each refusal at the door exactly once, joined or not, with who it was', async () => {
    const { call, hang, gate, release } = await stage({ inFlight: 20, share: 1 });
    await hang('high', 18);
    // At 0.9 of the bound: all but callers of high priority, on a connection that knows them.
    const answers: RawAnswer[] = [];
    for (let sent = 0; sent < 30; sent += 1) {
      const { body, headers } = modern('tools/call', { name: 'quick', arguments: {} });
      answers.push(await call('normal', body, headers));
    }
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 503));
    expect(await gate.metrics()).toContain('sallyport_shed_total{upstream="w",what="call-normal"} 30');
    release();
    await gate.gateway.drain();
    const refusals = gate.audit().filter(({ code, upstream }) => code === 'overloaded' && upstream === 'w');
    expect(refusals.reduce((sum, line) => sum + ((line['times'] as number | undefined) ?? 1), 0)).toBe(30);
    for (const line of refusals) expect(line['who']).toMatchObject({ id: expect.stringContaining('normal') });
  });
});
