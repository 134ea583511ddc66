import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

let recorder: Recorder;
let gate: TestGateway;

beforeAll(async () => {
  recorder = await startRecorder();
  gate = await startTestGateway({ upstreams: { w: recorder.url }, door: 'plain' });
});

afterAll(async () => {
  await gate.close();
  await recorder.close();
});

it('takes 200 with a JSON body for the 202 that a notification is owed, and keeps the body', async () => {
  recorder.on('notifications/initialized', { kind: 'json', body: { secret: 'for nobody' } });
  const answer = await post(gate.url('w'), { jsonrpc: '2.0', method: 'notifications/initialized' });
  expect(answer.status).toBe(202);
  expect(answer.body.toString()).toBe('');
  expect(recorder.messages.map(({ method }) => method)).toEqual(['notifications/initialized']);
});
