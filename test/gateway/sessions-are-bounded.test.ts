import { afterEach, describe, expect, it } from 'vitest';
import { connectClient, connectClient1 } from '../support/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy } from '../support/mcp-messages.ts';
import { openStream, post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

describe('sessions', () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(
    sessions: Record<string, unknown>,
  ): Promise<{ gate: TestGateway; recorder: Recorder }> {
    const recorder = await startRecorder();
    const gate = await startTestGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      config: { limits: { sessions } },
    });
    closing.push(recorder.close, gate.close);
    let last = 0;
    recorder.on('initialize', ({ id }) => {
      last += 1;
      return {
        kind: 'json',
        headers: { 'mcp-session-id': `session-${last}` },
        body: {
          jsonrpc: '2.0',
          id,
          result: {
            protocolVersion: '2025-11-25',
            capabilities: {},
            serverInfo: { name: 'recorder', version: '1' },
          },
        },
      };
    });
    return { gate, recorder };
  }

  const reasonOf = (answer: { json<T>(): T }): unknown =>
    answer.json<{ error?: { data?: { reason?: string } } }>().error?.data?.reason;

  it('beyond the bound of a caller are refused with the time to come back, and an ended one makes room', async () => {
    const { gate } = await start({ perPrincipal: 2, idle: '10m' });
    const [first] = [await post(gate.url('w'), initialize()), await post(gate.url('w'), initialize())];
    const refused = await post(gate.url('w'), initialize('2025-11-25', 'mine'));
    expect(refused.status).toBe(200);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(500);
    expect(refused.json()).toMatchObject({
      id: 'mine',
      error: { code: 4290, data: { reason: 'sessions-exhausted', bound: 'sessions-per-principal' } },
    });
    const headers = { 'mcp-session-id': first!.headers['mcp-session-id']! };
    expect((await send('DELETE', gate.url('w'), { headers })).status).toBe(200);
    expect((await post(gate.url('w'), initialize())).status).toBe(200);
    expect(reasonOf(await post(gate.url('w'), initialize()))).toBe('sessions-exhausted');
    expect(await gate.metrics()).toContain(
      'sallyport_bounds_total{upstream="w",bound="sessions-per-principal"} 2',
    );
  });

  it('that the server forgot make room', async () => {
    const { gate, recorder } = await start({ perPrincipal: 1 });
    const first = await post(gate.url('w'), initialize());
    recorder.on('tools/list', { kind: 'json', status: 404, body: {} });
    const headers = { 'mcp-session-id': first.headers['mcp-session-id']! };
    expect((await post(gate.url('w'), legacy('tools/list'), { headers })).status).toBe(404);
    expect((await post(gate.url('w'), initialize())).headers['mcp-session-id']).toBeDefined();
  });

  it('beyond the bound are shown as one error by official clients', async () => {
    const { gate } = await start({ perPrincipal: 1 });
    await post(gate.url('w'), initialize());
    await expect(connectClient(gate.url('w'), undefined, 'legacy')).rejects.toMatchObject({ code: 4290 });
    await expect(connectClient1(gate.url('w'), undefined)).rejects.toMatchObject({ code: 4290 });
  });

  it('may have so many streams open, and another once one was closed', async () => {
    const { gate, recorder } = await start({ streamsPerSession: 1 });
    recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })],
      open: true,
    });
    const opened = await post(gate.url('w'), initialize());
    const headers = {
      'mcp-session-id': opened.headers['mcp-session-id']!,
      'mcp-protocol-version': '2025-11-25',
    };
    const stream = await openStream('GET', gate.url('w'), { headers });
    await stream.next();
    const refused = await send('GET', gate.url('w'), {
      headers: { ...headers, accept: 'text/event-stream' },
    });
    expect([refused.status, reasonOf(refused)]).toEqual([429, 'streams-exhausted']);
    stream.abort();
    await expect
      .poll(async () => {
        const again = await openStream('GET', gate.url('w'), { headers });
        again.abort();
        return again.status;
      })
      .toBe(200);
  });
});
