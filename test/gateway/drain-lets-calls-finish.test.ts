import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

/** Progress at once, the answer when told. */
function slowAnswer(answered: Promise<string>) {
  return (message: { readonly id?: unknown }) => ({
    kind: 'sse' as const,
    chunks: [
      event({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 'p', progress: 1 },
      }),
      answered.then((text) =>
        event({ jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text }] } }),
      ),
    ],
  });
}

describe('a drain', () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(): Promise<{ gate: TestGateway; recorder: Recorder }> {
    const recorder = await startRecorder();
    const gate = await startTestGateway({ door: 'plain', upstreams: { w: recorder.url } });
    closing.push(recorder.close, gate.close);
    return { gate, recorder };
  }

  const params = { name: 'echo', arguments: {}, _meta: { progressToken: 'p' } };
  for (const [era, request] of [
    ['legacy', { headers: {}, body: legacy('tools/call', params) }],
    ['modern', modern('tools/call', params)],
  ] as const) {
    it(`lets a call that answers with a stream finish (${era})`, async () => {
      const { gate, recorder } = await start();
      const answer = Promise.withResolvers<string>();
      recorder.on('tools/call', slowAnswer(answer.promise));
      const stream = await openStream('POST', gate.url('w'), request);
      expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({ params: { progress: 1 } });
      const drained = gate.gateway.drain();
      answer.resolve('finished');
      expect(JSON.parse((await stream.next())?.data ?? '{}')).toMatchObject({
        id: 1,
        result: { content: [{ text: 'finished' }] },
      });
      await drained;
    });
  }

  it('ends streams that would stay open', async () => {
    const { gate, recorder } = await start();
    recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })],
      open: true,
    });
    const stream = await openStream('GET', gate.url('w'));
    expect(await stream.next()).toBeDefined();
    await gate.gateway.drain();
    expect(await stream.next()).toBeUndefined();
    expect(gate.audit().at(-1)).toMatchObject({ event: 'stream-ended' });
  });

  it('is not held up by a stream that begins while it waits for a call', async () => {
    const { gate, recorder } = await start();
    const answer = Promise.withResolvers<string>();
    recorder.on('tools/call', slowAnswer(answer.promise));
    recorder.on('GET', { kind: 'sse', chunks: [], open: true });
    const { host, hostname, port, pathname } = new URL(gate.url('w'));
    const head = `${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json, text/event-stream\r\n`;
    const body = JSON.stringify(legacy('tools/call', params));
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.write(
      `POST ${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await expect.poll(() => received).toContain('"progress":1');
    const drained = gate.gateway.drain();
    // The port is closed: what begins from here on, begins after the streams that were open have been ended.
    const knock = (): Promise<string> =>
      post(gate.url('w'), legacy('ping')).then(
        () => 'open',
        () => 'closed',
      );
    await expect.poll(knock).toBe('closed');
    // Behind the call, on a connection that was open before.
    socket.write(`GET ${head}\r\n`);
    await recorder.seen(({ verb }) => verb === 'GET');
    answer.resolve('finished');
    await drained;
    expect(received).toContain('finished');
    // Both bodies came whole: nothing was cut at the deadline.
    expect(received.match(/\r\n0\r\n\r\n/g)).toHaveLength(2);
  });
});
