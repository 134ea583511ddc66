import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';

const twenty = Array.from({ length: 20 }, (_, index) => index + 1);

describe('a stream of twenty events', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('tools/call', ({ id, params }) => {
      const meta = params?.['_meta'] as Record<string, unknown>;
      const events = twenty.map((progress) =>
        event({
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: meta['progressToken'], progress, message: 'später' },
        }),
      );
      const modern = meta['io.modelcontextprotocol/protocolVersion'] !== undefined;
      const whole = Buffer.from(
        `${events.join('')}${event(result(id, { ...(modern ? { resultType: 'complete' } : {}), content: [] }))}`,
      );
      // 97 bytes at a time: events begin and end, and characters are cut, anywhere.
      const pieces = Array.from({ length: Math.ceil(whole.length / 97) }, (_, index) =>
        whole.subarray(index * 97, index * 97 + 97),
      );
      return { kind: 'sse', chunks: pieces };
    });
    gate = await startTestGateway({ upstreams: { recorder: recorder.url } });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  for (const { name, connect } of generations) {
    it(`arrives whole and in order, the answer last (${name})`, async () => {
      const caller = await connect(gate.url('recorder'), await gate.as('alice'));
      const heard: number[] = [];
      await caller.call('echo', {}, { onprogress: ({ progress }) => void heard.push(progress) });
      expect(heard).toEqual(twenty);
      await caller.close();
    });
  }
});
