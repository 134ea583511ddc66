import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

/** Known nowhere, known in the other era only, and what a table with a prototype would know. */
const unknown = {
  modern: ['no/such', 'initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'constructor'],
  legacy: ['no/such', 'server/discover', 'subscriptions/listen', 'skills/list', '__proto__', 'toString'],
};

describe('a method that the protocol revision does not know', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { recorder: recorder.url } });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  it('is 404 and -32601 in 2026-07-28', async () => {
    for (const method of unknown.modern) {
      const { headers, body } = modern(method);
      const answer = await post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
      expect({ method, status: answer.status, body: answer.json() }).toEqual({
        method,
        status: 404,
        body: {
          jsonrpc: '2.0',
          id: 1,
          error: {
            code: -32601,
            message: 'The method is not available on this server',
            data: { reason: 'method-unknown' },
          },
        },
      });
    }
  });

  it('is 200 and -32601 in a session, where clients read errors only from 200', async () => {
    for (const method of unknown.legacy) {
      const answer = await post(gate.url('recorder'), legacy(method), { tls: await gate.as('alice') });
      expect({ method, status: answer.status, body: answer.json() }).toMatchObject({
        method,
        status: 200,
        body: { id: 1, error: { code: -32601 } },
      });
    }
  });

  it('never reaches the upstream, as a notification neither', async () => {
    const { id: _id, ...notification } = legacy('notifications/made-up');
    const answer = await post(gate.url('recorder'), notification, { tls: await gate.as('alice') });
    expect(answer.status).toBe(202);
    expect(recorder.requests).toEqual([]);
  });
});
