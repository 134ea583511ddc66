import { afterEach, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

describe('an upstream without measure', () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(config: Record<string, unknown> = {}, http: Record<string, unknown> = {}) {
    const recorder: Recorder = await startRecorder();
    const gate: TestGateway = await startTestGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      config,
      http,
    });
    closing.push(recorder.close, gate.close);
    return { gate, recorder };
  }

  const notice = event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  const limits = { limits: { frames: { framesPerExchange: 10, framesPerStream: 10 } } };

  it('is cut off once a call has brought back more frames than it may', async () => {
    const { gate, recorder } = await start(limits);
    recorder.on('tools/call', { kind: 'sse', chunks: Array.from({ length: 20 }, () => notice), open: true });
    const answer = await post(gate.url('w'), legacy('tools/call', { name: 'echo' }));
    expect(answer.body.toString()).toContain('result-too-large');
    expect(answer.body.toString().split('list_changed')).toHaveLength(11);
  });

  it('is cut off on the standalone stream too', async () => {
    const { gate, recorder } = await start(limits);
    recorder.on('GET', { kind: 'sse', chunks: Array.from({ length: 20 }, () => notice), open: true });
    const stream = await openStream('GET', gate.url('w'));
    expect(await stream.rest()).toHaveLength(10);
    expect(await recorder.requests.at(-1)?.abandoned).toBe(true);
    await expect
      .poll(() => gate.audit().at(-1))
      .toMatchObject({ event: 'stream-ended', code: 'result-too-large' });
  });

  it('cannot fill the audit with questions', async () => {
    const { gate, recorder } = await start(limits);
    const questions = Array.from({ length: 30 }, (_, id) =>
      event({ jsonrpc: '2.0', id, method: 'nothing/known' }),
    );
    recorder.on('tools/call', { kind: 'sse', chunks: questions, open: true });
    await post(gate.url('w'), legacy('tools/call', { name: 'echo' }));
    expect(gate.audit().filter((line) => line['event'] === 'question').length).toBeLessThanOrEqual(11);
  });

  it('keeps no connection by answering a refusal with a stream', async () => {
    const { gate, recorder } = await start();
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', id: 'q', method: 'nothing/known' }),
        event({ jsonrpc: '2.0', id, result: { content: [] } }),
      ],
    }));
    // What the gateway posts in answer to the question has no method.
    recorder.on('', { kind: 'sse', chunks: [notice], open: true });
    await post(gate.url('w'), legacy('tools/call', { name: 'echo' }));
    const refusal = recorder.requests.find(({ messages }) => messages[0]?.error !== undefined);
    expect(await refusal?.abandoned).toBe(true);
  });

  it('keeps no connection by answering a notification with a stream', async () => {
    const { gate, recorder } = await start();
    recorder.on('notifications/initialized', { kind: 'sse', chunks: [notice], open: true });
    const answer = await post(gate.url('w'), { jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(answer.status).toBe(502);
    expect(await recorder.requests.at(-1)?.abandoned).toBe(true);
  });

  it('is cut off on a stream of events that hold nothing', async () => {
    const { gate, recorder } = await start();
    const empty = Array.from({ length: 2000 }, (_, index) => `id: ${index}\ndata:\n\n`).join('');
    recorder.on('GET', { kind: 'sse', chunks: [empty], open: true });
    const stream = await openStream('GET', gate.url('w'));
    expect(await stream.rest()).toHaveLength(1000);
    await expect.poll(() => gate.audit().at(-1)).toMatchObject({ code: 'result-too-large' });
  });
});
