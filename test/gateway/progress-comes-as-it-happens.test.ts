import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';

describe('progress', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  /** Lets the upstream go on. Called by the client once it has heard of the progress. */
  let goOn: () => void = () => undefined;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('tools/call', ({ id, params }) => {
      const meta = params?.['_meta'] as { progressToken?: unknown; [key: string]: unknown };
      const progress = (value: number) =>
        event({
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: meta.progressToken, progress: value, total: 2 },
        });
      const modern = meta['io.modelcontextprotocol/protocolVersion'] !== undefined;
      const answer = { ...(modern ? { resultType: 'complete' } : {}), content: [] };
      const heard = new Promise<string>((resolve) => {
        goOn = () => resolve(progress(2) + event(result(id, answer)));
      });
      return { kind: 'sse', chunks: [progress(1), heard] };
    });
    gate = await startTestGateway({ upstreams: { recorder: recorder.url } });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  for (const { name, connect } of generations) {
    it(`reaches the client before the call has ended (${name})`, async () => {
      const caller = await connect(gate.url('recorder'), await gate.as('alice'));
      const heard: number[] = [];
      const answer = await caller.call(
        'echo',
        {},
        {
          onprogress: ({ progress }) => {
            heard.push(progress);
            // The upstream answers only now: held back, this progress would never come.
            goOn();
          },
        },
      );
      expect(heard).toEqual([1, 2]);
      expect(answer.content).toEqual([]);
      await caller.close();
    });
  }
});
