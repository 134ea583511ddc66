import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

describe('a session whose connection broke in the middle of a call', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ door: 'plain', upstreams: { w: recorder.url } });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  it('fetches the answer by Last-Event-ID, even if the upstream had answered meanwhile', async () => {
    const opened = await post(gate.url('w'), initialize());
    const headers = {
      'mcp-session-id': opened.headers['mcp-session-id'] ?? '',
      'mcp-protocol-version': '2025-11-25',
    };
    const left = Promise.withResolvers<string>();
    let answer = '';
    recorder.on('tools/call', ({ id }) => {
      answer = event({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'late' }] } }, 'e2');
      return { kind: 'sse', chunks: ['id: e1\ndata:\n\n', left.promise] };
    });
    const call = await openStream('POST', gate.url('w'), {
      headers,
      body: legacy('tools/call', { name: 'echo' }),
    });
    const primed = await call.next();
    call.abort();
    // The gateway must have noticed that nobody listens before the answer comes.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = gate.audit().length;
    left.resolve(answer);
    await expect.poll(() => gate.audit().length).toBe(before + 1);

    recorder.on('GET', (_message, request) => {
      expect(request.headers['last-event-id']).toBe('e1');
      return { kind: 'sse', chunks: [answer] };
    });
    const resumed = await openStream('GET', gate.url('w'), {
      headers: { ...headers, 'last-event-id': primed?.id ?? '' },
    });
    expect(JSON.parse((await resumed.next())?.data ?? '{}')).toMatchObject({
      id: 1,
      result: { content: [{ text: 'late' }] },
    });
    await resumed.rest();
  });
});
