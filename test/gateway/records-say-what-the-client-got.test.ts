import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

const askPolicy = `
version: 1
roles:
  caller:
    allow:
      - tools: ["*"]
      - { id: listens, methods: [stream-open, subscriptions/listen] }
      - { id: may-elicit, methods: [elicitation/create], actions: [ask] }
bindings:
  - roles: [caller]
    to: { any: true }
`;

describe('the audit', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ door: 'plain', policy: askPolicy, upstreams: { w: recorder.url } });
  });

  afterEach(() => {
    for (const method of ['tools/call', 'GET', 'subscriptions/listen']) recorder.on(method, undefined);
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  /** The lines that an act left behind, once there are so many. */
  async function lines(
    count: number,
    act: () => Promise<unknown>,
  ): Promise<readonly Record<string, unknown>[]> {
    const before = gate.audit().length;
    await act();
    await expect.poll(() => gate.audit().length).toBeGreaterThanOrEqual(before + count);
    return gate.audit().slice(before);
  }

  const openStreams = async (): Promise<string | undefined> =>
    /^sallyport_streams_active\{.*\} (\d+)$/m.exec(await gate.metrics())?.[1];

  it('has the status 200 where the error came inside a stream', async () => {
    recorder.on('tools/call', { kind: 'sse', chunks: [event('not json')] });
    const [line] = await lines(1, async () => {
      const answer = await post(gate.url('w'), legacy('tools/call', { name: 'echo' }));
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toContain('upstream-invalid');
    });
    expect(line).toMatchObject({ code: 'upstream-invalid', status: 200, rpc: 5020 });
  });

  it('has the status 200 for an element of a batch that was refused', async () => {
    const batch = [legacy('tools/call', { name: 'echo' }), legacy('tools/call', {}, 2)];
    const found = await lines(2, async () => {
      const headers = { 'mcp-protocol-version': '2025-03-26' };
      expect((await post(gate.url('w'), batch, { headers })).status).toBe(200);
    });
    expect(found.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('has the JSON-RPC code of a refusal before anything was decoded', async () => {
    const [line] = await lines(1, () => post(gate.url('w'), '{"jsonrpc":'));
    expect(line).toMatchObject({ event: 'refusal', code: 'json-invalid', status: 400, rpc: -32700 });
    const [other] = await lines(1, () => send('PUT', gate.url('w')));
    expect(other).toMatchObject({ event: 'refusal', code: 'http-method', status: 405, rpc: -32601 });
  });

  it('does not tell the end of a stream that never began', async () => {
    recorder.on('GET', { kind: 'json', status: 405, body: '' });
    const [get] = await lines(1, async () =>
      expect((await send('GET', gate.url('w'), { headers: { accept: 'text/event-stream' } })).status).toBe(
        405,
      ),
    );
    expect(get).toMatchObject({ event: 'exchange', code: 'http-method', status: 405 });
    recorder.on('subscriptions/listen', ({ id }) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id, error: { code: -32603, message: 'No' } },
    }));
    const { headers, body } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
    const [listen] = await lines(1, () => post(gate.url('w'), body, { headers }));
    expect(listen).toMatchObject({ event: 'exchange', code: 'rpc-error' });
  });

  it('keeps the count of open streams right', async () => {
    recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })],
      open: true,
    });
    const stream = await openStream('GET', gate.url('w'));
    await stream.next();
    const meanwhile = await openStreams();
    recorder.on('GET', { kind: 'json', status: 405, body: '' });
    await send('GET', gate.url('w'), { headers: { accept: 'text/event-stream' } });
    expect({ before: meanwhile, after: await openStreams() }).toEqual({ before: '1', after: '1' });
    stream.abort();
    await expect.poll(openStreams).toBe('0');
  });

  it('names the rule of this question, and none where no rule was asked', async () => {
    const ask = (id: string, method: string) =>
      event({ jsonrpc: '2.0', id, method, params: { message: 'Name?', requestedSchema: {} } });
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        ask('q1', 'elicitation/create'),
        ask('q2', 'nothing/known'),
        event({ jsonrpc: '2.0', id: 'q3', method: 'ping' }),
        event({ jsonrpc: '2.0', id, result: { content: [] } }),
      ],
    }));
    const found = await lines(4, () =>
      post(gate.url('w'), legacy('tools/call', { name: 'echo' }), {
        headers: { 'mcp-protocol-version': '2025-11-25' },
      }),
    );
    const questions = found
      .filter((line) => line['event'] === 'question')
      .map(({ code, question }) => ({ code, question }));
    expect(questions).toEqual([
      { code: 'ok', question: { method: 'elicitation/create', rule: expect.stringContaining('may-elicit') } },
      { code: 'method-unknown', question: { method: 'nothing/known' } },
      { code: 'ok', question: { method: 'ping' } },
    ]);
  });

  for (const [title, methods, code] of [
    ['relayed', ['elicitation/create'], 'ok'],
    ['refused', ['elicitation/create', 'roots/list'], 'result-refused'],
  ] as const) {
    it(`has the questions inside a result of 2026-07-28 that was ${title}`, async () => {
      const inputRequests = Object.fromEntries(methods.map((method) => [method, { method, params: {} }]));
      recorder.on('tools/call', ({ id }) => ({
        kind: 'json',
        body: { jsonrpc: '2.0', id, result: { resultType: 'input_required', inputRequests } },
      }));
      const { headers, body } = modern('tools/call', { name: 'echo' });
      const found = await lines(methods.length + 1, () => post(gate.url('w'), body, { headers }));
      expect(found.map(({ event, code, question }) => ({ event, code, question }))).toEqual([
        {
          event: 'question',
          code,
          question: { method: 'elicitation/create', rule: expect.stringContaining('may-elicit') },
        },
        ...methods.slice(1).map((method) => ({ event: 'question', code, question: { method } })),
        { event: 'exchange', code, question: undefined },
      ]);
      expect(await gate.metrics()).toMatch(
        new RegExp(`sallyport_questions_total{.*method="elicitation/create".*code="${code}".*} [1-9]`),
      );
    });
  }

  it('says why a credential was refused, which the client never hears', async () => {
    const strict = await startTestGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      config: { insecure: {}, identity: [{ apiKeys: { file: 'keys.yaml' } }] },
      files: { 'keys.yaml': JSON.stringify({ keys: [] }) },
    });
    const answer = await post(strict.url('w'), legacy('ping'), { headers: { 'x-api-key': 'nonsense' } });
    expect(answer.body.toString()).not.toContain('malformed');
    expect(strict.audit()).toMatchObject([
      {
        event: 'refusal',
        code: 'credential-invalid',
        status: 401,
        cause: 'CredentialRefused(api-key-malformed)',
      },
    ]);
    await strict.close();
  });
});
