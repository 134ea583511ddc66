import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [echo]
        when: { args: { count: { max: 10 } } }
      - resources: ["test://public/**"]
      - prompts: [greet]
    deny:
      - tools: ["forbidden"]
bindings:
  - roles: [caller]
    to: { any: true }
acl:
  - tool: guarded
    allow: []
`;

describe('a target that a caller may not see', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: {
          tools: ['echo', 'hidden', 'forbidden', 'guarded'].map((name) => ({
            name,
            inputSchema: { type: 'object' },
          })),
        },
      },
    }));
    gate = await startTestGateway({ upstreams: { recorder: recorder.url }, policy });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const targets: readonly [method: string, params: readonly Record<string, unknown>[]][] = [
    [
      'tools/call',
      ['hidden', 'forbidden', 'guarded', 'no-such-tool'].map((name) => ({ name, arguments: {} })),
    ],
    ['resources/read', ['test://private/a', 'test://no-such'].map((uri) => ({ uri }))],
    ['prompts/get', ['insult', 'no-such-prompt'].map((name) => ({ name }))],
  ];

  it('answers byte for byte as one that does not exist, in both eras', async () => {
    const tls = await gate.as('alice');
    const opened = await post(gate.url('recorder'), initialize(), { tls });
    const session = { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' };
    const seen = recorder.requests.length;
    const answers: string[] = [];
    const note = ({ status, headers, body }: Awaited<ReturnType<typeof post>>) => {
      const { date: _date, connection: _connection, ...rest } = headers;
      answers.push(`${status} ${JSON.stringify(rest)} ${body.toString()}`);
    };
    for (const [method, all] of targets) {
      for (const params of all) {
        const { headers, body } = modern(method, params);
        note(await post(gate.url('recorder'), body, { headers, tls }));
        note(await post(gate.url('recorder'), legacy(method, params), { headers: session, tls }));
      }
    }
    expect(answers).toHaveLength(16);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain(
      '{"jsonrpc":"2.0","id":1,"error":{"code":4030,"message":"Not allowed, or not available","data":{"reason":"denied"}}}',
    );
    expect(recorder.requests).toHaveLength(seen);
  });

  it('differs from one that is seen but whose arguments are refused', async () => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: { count: 11 } });
    const answer = await post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
    expect(answer.json()).toMatchObject({
      error: {
        code: 4030,
        message: 'The arguments are refused by policy',
        data: { reason: 'arguments-refused' },
      },
    });
    expect(answer.body.toString()).not.toContain('11');
  });

  for (const { name, connect } of generations) {
    it(`is an error with the code that the client can read (${name})`, async () => {
      const caller = await connect(gate.url('recorder'), await gate.as('alice'));
      for (const tool of ['hidden', 'no-such-tool']) {
        await expect(caller.call(tool)).rejects.toMatchObject({
          code: 4030,
          message: expect.stringContaining('Not allowed, or not available'),
        });
      }
      await caller.close();
    });
  }
});
