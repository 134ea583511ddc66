import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cli/run-command.ts';
import { prepareGateway, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const policy = `
version: 1
roles:
  caller:
    allow: [{ tools: [seen, changed, gone, added, "absent*"] }]
    deny: [{ tools: [forbidden] }]
bindings: [{ roles: [caller], to: { any: true } }]
acl: [{ tool: guarded, allow: [] }]
arguments:
  - match: { tools: ["*"] }
    unknown: refuse
    args: { path: { path: { within: /workspace } } }
    relations: ["size(args.path) < 40"]
results:
  - match: { tools: ["*"] }
    maxBytes: 1KiB
tools:
  - { match: { tools: ["*"] }, untrusted: true, egress: true }
flows:
  - { hold: 1h, effect: deny }
`;

const schema = {
  type: 'object',
  properties: { path: { type: 'string', 'x-mcp-header': 'Path' } },
  required: ['path'],
};
const tool = (name: string, description = name) => ({ name, description, inputSchema: schema });
const before = ['seen', 'hidden', 'forbidden', 'guarded', 'changed', 'gone', 'ruined'].map((name) =>
  tool(name),
);
const after = [
  ...['seen', 'hidden', 'forbidden', 'guarded'].map((name) => tool(name)),
  tool('changed', 'another'),
  tool('ruined', 'another'),
  tool('added'),
];

/** Of each: not to be seen, or held back, or in no list. */
const names = [
  'hidden',
  'forbidden',
  'guarded',
  'ruined',
  'changed',
  'gone',
  'added',
  'absent',
  'no-such-tool',
];

describe('with pins, schemas, argument rules, flows and result rules on', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  let tools = before;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools },
      },
    }));
    const prepared = await prepareGateway({ upstreams: { w: recorder.url } });
    const pinned = await run(['pin', 'init', '--config', prepared.file]);
    expect(pinned).toMatchObject({ code: 0, stderr: '' });
    gate = await startTestGateway({
      upstreams: { w: recorder.url },
      schemas: 'enforce',
      door: 'plain',
      policy,
      config: { pins: { file: 'pins.yaml' } },
      files: { 'pins.yaml': readFileSync(join(prepared.folder, 'pins.yaml'), 'utf8') },
    });
    prepared.remove();
    tools = after;
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const looks = () => recorder.requests.filter(({ messages }) => messages[0]?.method === 'tools/list').length;
  const reached = () =>
    recorder.requests.filter(({ messages }) => messages[0]?.method === 'tools/call').length;

  const text = ({ status, headers, body }: RawAnswer): string => {
    const { date: _, connection: __, ...rest } = headers;
    return `${status} ${JSON.stringify(rest)} ${body.toString()}`;
  };

  it('no name that the caller may not see makes the gateway look at the list', async () => {
    for (const name of ['hidden', 'forbidden', 'guarded', 'ruined', 'no-such-tool']) {
      for (const params of [{}, { 'mcp-param-path': 'a' }]) {
        const { headers, body } = modern('tools/call', { name, arguments: { path: 'a' } });
        await post(gate.url('w'), body, { headers: { ...headers, ...params } });
        await post(gate.url('w'), legacy('tools/call', { name, arguments: { path: 'a' } }));
      }
    }
    expect(looks()).toBe(1);
  });

  it('what is hidden, held back, forbidden or not there is answered with the same bytes, in both eras', async () => {
    const opened = await post(gate.url('w'), initialize());
    const session = { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' };
    const disguises = [
      undefined,
      {},
      { path: '/workspace/a' },
      { path: '/etc/passwd' },
      { path: 7 },
      { path: '/workspace/a', Path: 'x' },
      { path: `/workspace/${'a'.repeat(60)}` },
      { other: true },
    ];
    for (const args of disguises) {
      const answers = new Map<string, string>();
      for (const name of names) {
        const params = { name, ...(args === undefined ? {} : { arguments: args }) };
        const { headers, body } = modern('tools/call', params);
        for (const extra of [{}, { 'mcp-param-path': '/workspace/a' }, { 'mcp-param-else': 'x' }]) {
          answers.set(
            `${name} ${JSON.stringify(extra)}`,
            text(await post(gate.url('w'), body, { headers: { ...headers, ...extra } })),
          );
        }
        answers.set(
          `${name} legacy`,
          text(await post(gate.url('w'), legacy('tools/call', params), { headers: session })),
        );
      }
      const first = answers.get('no-such-tool legacy');
      expect(first).toContain(
        '"code":4030,"message":"Not allowed, or not available","data":{"reason":"denied"}',
      );
      expect(
        [...answers].filter(([, answer]) => answer !== first),
        JSON.stringify(args),
      ).toEqual([]);
    }
    expect(reached()).toBe(0);
  });

  it('an approved tool that is seen says what is wrong with its arguments, and works', async () => {
    const call = async (path: string) => {
      const { headers, body } = modern('tools/call', { name: 'seen', arguments: { path } });
      const answer = await post(gate.url('w'), body, { headers: { ...headers, 'mcp-param-path': path } });
      return answer.json<{ error?: { data: { reason: string } } }>();
    };
    expect((await call('/etc/passwd')).error?.data.reason).toBe('arguments-refused');
    expect(await call('/workspace/a')).toMatchObject({ result: {} });
    expect((await call('/workspace/a')).error?.data.reason).toBe('flow-refused');
    expect(reached()).toBe(1);
  });
});
