import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditFields } from '../../src/observe/audit-fields.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, send, sendBytes } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - id: plain
        tools: [echo]
      - id: written-down
        tools: [transfer]
        audit: arguments
      - resources: ["**"]
bindings:
  - roles: [caller]
    to: { any: true }
`;

describe('the audit', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy,
      clients: { mode: 'request' },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const call = async (name: string, args: Record<string, unknown>, who = 'alice') => {
    const { headers, body } = modern('tools/call', { name, arguments: args });
    return post(gate.url('recorder'), body, { headers, tls: await gate.as(who) });
  };
  /** The records that something leaves, once there are as many as expected. */
  const recordsOf = async (count: number, act: () => Promise<unknown>) => {
    const before = gate.audit().length;
    await act();
    await expect.poll(() => gate.audit().length).toBeGreaterThanOrEqual(before + count);
    return gate.audit().slice(before);
  };

  it('has one line for an exchange, with the documented fields and no others', async () => {
    const [record, ...more] = await recordsOf(1, () => call('echo', { secret: 'of alice' }));
    expect(more).toEqual([]);
    expect(record).toEqual({
      schema: 'sallyport.audit/v1',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      run: expect.any(String),
      sequence: expect.any(Number),
      event: 'exchange',
      exchange: expect.stringMatching(/^[0-9a-f]{32}$/),
      who: {
        id: 'spiffe://test.local/alice',
        credentials: [
          { kind: 'certificate', fingerprint: (await gate.certificateOf('alice')).fingerprint256 },
        ],
      },
      from: { address: '127.0.0.1', tls: 'TLSv1.3' },
      upstream: 'recorder',
      verb: 'POST',
      era: 'modern',
      revision: '2026-07-28',
      method: 'tools/call',
      target: { kind: 'tool', name: 'echo' },
      decision: {
        effect: 'allow',
        reason: 'allowed',
        rule: 'plain',
        location: expect.stringMatching(/policy\.yaml:6$/),
      },
      roles: ['caller'],
      policy: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: { request: expect.any(Number), reply: expect.any(Number) },
      frames: 1,
      duration: { total: expect.any(Number), upstream: expect.any(Number) },
      status: 200,
      code: 'ok',
      trace: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('knows no field that is not documented', async () => {
    const documented = new Set(auditFields.map(({ name }) => name.split(/[.[]/)[0]));
    for (const record of gate.audit()) {
      for (const key of Object.keys(record)) expect(documented).toContain(key);
    }
  });

  it('counts its lines without a gap', () => {
    const sequence = gate.audit().map(({ sequence }) => sequence);
    expect(sequence).toEqual(sequence.map((_, index) => index + 1));
  });

  it('says which rule denied, or that none allowed', async () => {
    const [record] = await recordsOf(1, () => call('no-such-tool', {}));
    expect(record).toMatchObject({
      decision: { effect: 'deny', reason: 'no-rule' },
      code: 'denied',
      rpc: 4030,
      status: 200,
    });
  });

  it('holds arguments only where a rule asks for them, and redacts secrets in them', async () => {
    const secret = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
    const args = { amount: 12, password: 'hunter2', note: `use ${secret} please`, to: 'bob' };
    const [plain] = await recordsOf(1, () => call('echo', args));
    expect(plain).not.toHaveProperty('arguments');
    const [written] = await recordsOf(1, () => call('transfer', args));
    expect(written).toMatchObject({ arguments: { amount: 12, to: 'bob' } });
    for (const text of ['hunter2', secret]) expect(JSON.stringify([plain, written])).not.toContain(text);
  });

  it('escapes what would move a terminal or break a line', async () => {
    const name = 'evil\u001b[2J\u0007\u202e\u2028\r\n{"forged":true}';
    const before = readFileSync(`${gate.folder}/audit.jsonl`).length;
    const [record] = await recordsOf(1, async () =>
      post(gate.url('recorder'), legacy('tools/call', { name, arguments: {} }), {
        tls: await gate.as('alice'),
      }),
    );
    const line = readFileSync(`${gate.folder}/audit.jsonl`).subarray(before);
    // Printable ASCII and the one line feed at the end: nothing else can do anything to whoever reads it.
    expect(line.toString('latin1')).toMatch(/^[\x20-\x7e]+\n$/);
    expect(record).toMatchObject({ verb: 'POST', code: expect.any(String) });
    expect(gate.audit().every((entry) => !('forged' in entry))).toBe(true);
  });

  it('has a line for what was refused before anybody was known', async () => {
    // Named here, or Node would take the name that it checks the certificate for from the Host header.
    const tls = { ...(await gate.as('alice')), servername: 'localhost' };
    const url = gate.url('recorder');
    const refusals: readonly [code: string, status: number, act: () => Promise<unknown>][] = [
      ['credential-missing', 401, async () => post(url, initialize(), { tls: await gate.as() })],
      [
        'credential-invalid',
        401,
        async () => post(url, initialize(), { headers: { authorization: 'Bearer nonsense' }, tls }),
      ],
      ['host-refused', 403, () => post(url, initialize(), { headers: { host: 'evil.example' }, tls })],
      [
        'origin-refused',
        403,
        () => post(url, initialize(), { headers: { origin: 'https://evil.example' }, tls }),
      ],
      ['json-invalid', 400, () => post(url, '{"jsonrpc":', { tls })],
      ['json-repeated-key', 400, () => post(url, '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', { tls })],
      ['media-type', 415, () => post(url, initialize(), { headers: { 'content-type': 'text/plain' }, tls })],
      ['http-method', 405, () => send('PUT', url, { tls })],
      ['route-unknown', 404, () => post(`${new URL(url).origin}/elsewhere`, initialize(), { tls })],
      ['tls-handshake', 0, () => sendBytes(url.replace('https:', 'http:'), ['GET / HTTP/1.1\r\n\r\n'])],
    ];
    for (const [code, status, act] of refusals) {
      const [record, ...more] = await recordsOf(1, act);
      expect(more).toEqual([]);
      expect(record).toMatchObject({
        event: 'refusal',
        code,
        status: code === 'tls-handshake' ? expect.any(Number) : status,
        from: { address: '127.0.0.1' },
      });
    }
  });
});
