import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { expectNoConnections } from '../support/leaks.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';

describe('cancellation', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { recorder: recorder.url } });
  });

  afterEach(() => recorder.on('tools/call', undefined));

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  for (const { name, era, connect } of generations) {
    it(`reaches the upstream (${name})`, async () => {
      recorder.on('tools/call', { kind: 'hang' });
      const before = recorder.requests.length;
      const arrived = recorder.seen(
        (request) =>
          recorder.requests.indexOf(request) >= before && request.messages[0]?.method === 'tools/call',
      );
      // A caller of its own: the recorder's session and the ids in it are always the same.
      const caller = await connect(gate.url('recorder'), await gate.as(name.replaceAll(/[^a-z0-9]/g, '')));
      const abort = new AbortController();
      const call = caller.call('echo', {}, { signal: abort.signal });
      const failing = expect(call).rejects.toThrow(/abort/i);
      const request = await arrived;
      abort.abort();
      await failing;
      if (era === 'modern') {
        expect(await request.abandoned).toBe(true);
        await expect
          .poll(() =>
            gate.audit().filter(({ code, method }) => code === 'cancelled' && method === 'tools/call'),
          )
          .toHaveLength(1);
      } else {
        const cancelled = await recorder.seen(
          ({ messages }) =>
            messages[0]?.method === 'notifications/cancelled' &&
            messages[0]?.params?.['requestId'] === request.messages[0]?.id,
        );
        // The client's own id means nothing to the upstream: it must be the one that the upstream saw.
        expect(cancelled.messages[0]?.params?.['requestId']).toBe(request.messages[0]?.id);
      }
      await caller.close();
    });
  }

  it('is what a closed stream means in 2026-07-28', async () => {
    recorder.on('tools/call', {
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }),
      ],
      open: true,
    });
    const before = recorder.requests.length;
    const _meta = { 'io.modelcontextprotocol/logLevel': 'info' };
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {}, _meta });
    const stream = await openStream('POST', gate.url('recorder'), {
      headers,
      body,
      tls: await gate.as('alice'),
    });
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({ params: { data: 1 } });
    stream.abort();
    expect(await recorder.requests.slice(before).at(-1)?.abandoned).toBe(true);
  });

  it('is not what a lost connection means in a session', async () => {
    let answer: (text: string) => void = () => undefined;
    const later = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const tls = await gate.as('lost');
    const opened = await post(gate.url('recorder'), initialize(), { tls });
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }),
        later.then(() => event(result(id, { content: [] }))),
      ],
    }));
    const before = recorder.requests.length;
    const stream = await openStream('POST', gate.url('recorder'), {
      headers: {
        'mcp-session-id': opened.headers['mcp-session-id'] ?? '',
        'content-type': 'application/json',
      },
      body: legacy('tools/call', { name: 'echo', arguments: {} }),
      tls,
    });
    await stream.next();
    stream.abort();
    const records = () => gate.audit().filter(({ who }) => who !== undefined).length;
    const recorded = records();
    // The gateway has noticed that the client is gone once its side of the connection is closed.
    await post(gate.url('recorder'), legacy('ping'), {
      headers: { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' },
      tls,
    });
    answer('');
    expect(await recorder.requests[before]?.abandoned).toBe(false);
    await expect.poll(records).toBe(recorded + 2);
    expect(gate.audit().at(-1)).toMatchObject({ method: 'tools/call', code: 'ok' });
  });

  it('leaves no connection behind', async () => {
    await gate.gateway.drain();
    await expectNoConnections([recorder]);
  });
});
