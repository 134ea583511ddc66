import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const policy = `
version: 1
roles:
  caller:
    allow: [{ tools: [echo] }]
    deny: [{ id: no-dropping, tools: ["drop_*"] }]
bindings:
  - { roles: [caller], to: { any: true } }
`;

describe('an upstream whose denials are explained', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  const contact = 'Ask access@acme.example';

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy,
      config: {
        upstreams: [
          { name: 'closed', path: '/closed/mcp', http: { url: recorder.url } },
          {
            name: 'open',
            path: '/open/mcp',
            http: { url: recorder.url },
            disclosure: { mode: 'explained', contact },
          },
        ],
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  async function data(upstream: string, name: string): Promise<unknown> {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    const answer = await post(gate.url(upstream), body, { headers, tls: await gate.as('alice') });
    expect(answer.status).toBe(200);
    return (answer.json() as { error: { data: unknown } }).error.data;
  }

  it('tells why, by which rule and whom to ask, and the other one nothing', async () => {
    expect(await data('open', 'drop_all')).toEqual({
      reason: 'denied',
      why: 'denied-by-rule',
      rule: 'no-dropping',
      contact,
    });
    expect(await data('open', 'hidden')).toEqual({ reason: 'denied', why: 'no-rule', contact });
    expect(await data('open', 'invented')).toEqual(await data('open', 'hidden'));
    expect(await data('closed', 'drop_all')).toEqual({ reason: 'denied' });
    const sent = recorder.requests.flatMap(({ messages }) => messages);
    expect(sent.filter(({ method }) => method === 'tools/call')).toHaveLength(0);
  });
});
