import { connect as connectHttp2 } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { connectClient } from '../support/clients.ts';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post, sendBytes } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

describe('what a drain does to what is open', () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(
    options: Omit<TestGatewayOptions, 'upstreams'> = {},
  ): Promise<{ gate: TestGateway; recorder: Recorder }> {
    const recorder = await startRecorder();
    const gate = await startTestGateway({ door: 'plain', upstreams: { w: recorder.url }, ...options });
    closing.push(recorder.close, gate.close);
    return { gate, recorder };
  }

  it('ends a subscription so that the official client calls it graceful', async () => {
    const fixture = await startEverythingFixture();
    const gate = await startTestGateway({ upstreams: { fixture: fixture.url } });
    closing.push(fixture.close, gate.close);
    const { client, close } = await connectClient(gate.url('fixture'), await gate.as('alice'), 'modern');
    closing.push(close);
    const subscription = await client.listen({ toolsListChanged: true });
    const [how] = await Promise.all([subscription.closed, gate.gateway.drain()]);
    expect(how).toBe('graceful');
    expect(gate.audit().at(-1)).toMatchObject({ event: 'stream-ended', code: 'draining' });
  });

  it('says the last word of a subscription under the id that the client gave', async () => {
    const { gate, recorder } = await start();
    recorder.on('subscriptions/listen', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({
          jsonrpc: '2.0',
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: {}, _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
        }),
      ],
      open: true,
    }));
    const request = modern('subscriptions/listen', { notifications: {} }, { id: 'mine' });
    const stream = await openStream('POST', gate.url('w'), request);
    expect(await stream.next()).toBeDefined();
    const drained = gate.gateway.drain();
    const events = await stream.rest();
    expect(events.map(({ data }) => JSON.parse(data) as unknown)).toEqual([
      {
        jsonrpc: '2.0',
        id: 'mine',
        result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 'mine' } },
      },
    ]);
    await drained;
  });

  it('ends the standalone stream of a session cleanly, and without a word', async () => {
    const { gate, recorder } = await start();
    const opened = await post(gate.url('w'), initialize());
    recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })],
      open: true,
    });
    const stream = await openStream('GET', gate.url('w'), {
      headers: { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' },
    });
    expect(await stream.next()).toBeDefined();
    const drained = gate.gateway.drain();
    expect(await stream.rest()).toEqual([]);
    await drained;
    expect(gate.audit().at(-1)).toMatchObject({ event: 'stream-ended', code: 'draining', status: 200 });
  });

  for (const [era, request] of [
    ['legacy', { headers: {}, body: legacy('tools/call', { name: 'echo', arguments: {} }) }],
    ['modern', modern('tools/call', { name: 'echo', arguments: {} })],
  ] as const) {
    it(`answers and records a call that the deadline ends (${era})`, async () => {
      const { gate, recorder } = await start({ config: { drain: { deadline: '100ms' } } });
      recorder.on('tools/call', { kind: 'hang' });
      const { body, headers } = request;
      const answered = post(gate.url('w'), body, { headers });
      await recorder.seen(({ messages }) => messages.some(({ method }) => method === 'tools/call'));
      await gate.gateway.drain();
      const answer = await answered;
      expect(answer.status).toBe(503);
      expect(answer.headers['connection']).toBe('close');
      expect(answer.json()).toMatchObject({ id: 1, error: { code: 5030, data: { reason: 'draining' } } });
      expect(gate.audit().at(-1)).toMatchObject({ method: 'tools/call', code: 'draining' });
    });
  }

  it('ends a call that streams at the deadline with an error in its stream', async () => {
    const { gate, recorder } = await start({ config: { drain: { deadline: '100ms' } } });
    recorder.on('tools/call', {
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }),
      ],
      open: true,
    });
    const request = modern('tools/call', {
      name: 'echo',
      arguments: {},
      _meta: { 'io.modelcontextprotocol/logLevel': 'info' },
    });
    const stream = await openStream('POST', gate.url('w'), request);
    expect(await stream.next()).toBeDefined();
    const drained = gate.gateway.drain();
    const [last] = await stream.rest();
    expect(JSON.parse(last?.data ?? '{}')).toMatchObject({
      id: 1,
      error: { code: 5030, data: { reason: 'draining' } },
    });
    await drained;
    expect(gate.audit().at(-1)).toMatchObject({ method: 'tools/call', code: 'draining' });
  });

  it('records a call whose client left and whose server never answers', async () => {
    const { gate, recorder } = await start({ config: { drain: { deadline: '100ms' } } });
    recorder.on('tools/call', { kind: 'hang' });
    const body = JSON.stringify(legacy('tools/call', { name: 'echo', arguments: {} }));
    const { host, pathname } = new URL(gate.url('w'));
    // A disconnect cancels nothing in the session era: the call goes on without its client.
    await sendBytes(
      gate.url('w'),
      [
        `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
          `Accept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ],
      { quiet: 200 },
    );
    await gate.gateway.drain();
    expect(gate.audit().filter(({ method }) => method === 'tools/call')).toMatchObject([
      { code: 'draining' },
    ]);
  });

  it('tells HTTP/2 clients by GOAWAY, serves what was sent before, and lets nothing new begin', async () => {
    const { gate, recorder } = await start({ door: 'mtls' });
    const answer = Promise.withResolvers<void>();
    recorder.on('tools/call', async ({ id }) => {
      await answer.promise;
      return { kind: 'json', body: { jsonrpc: '2.0', id, result: { resultType: 'complete', content: [] } } };
    });
    const session = connectHttp2(gate.gateway.listeners[0]!.url, await gate.as('alice'));
    const call = modern('tools/call', { name: 'echo', arguments: {} });
    const send = (): Promise<{ readonly status: number; readonly text: string }> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': '/w/mcp', ...call.headers });
        let status = 0;
        let text = '';
        stream.once('response', (head) => {
          status = Number(head[':status']);
        });
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.once('end', () => resolve({ status, text }));
        stream.once('error', reject);
        stream.end(JSON.stringify(call.body));
      });
    const running = send();
    await recorder.seen(({ messages }) => messages.some(({ method }) => method === 'tools/call'));
    const away = new Promise<number>((resolve) => session.once('goaway', resolve));
    const drained = gate.gateway.drain();
    expect(await away).toBe(0);
    // The client's own library refuses: it has been told to go elsewhere, and nothing was sent.
    await expect(send()).rejects.toThrow(/GOAWAY|closed|destroyed/i);
    answer.resolve();
    expect(await running).toMatchObject({ status: 200, text: expect.stringContaining('"result"') });
    await drained;
    session.destroy();
  });
});
