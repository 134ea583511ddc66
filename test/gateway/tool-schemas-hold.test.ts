import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { openPolicy, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { type RpcMessage, result } from '../support/recorder-answers.ts';

describe('a server of the official SDK', () => {
  let server: EverythingFixture;
  let gate: TestGateway;

  beforeAll(async () => {
    server = await startEverythingFixture();
    gate = await startTestGateway({ upstreams: { all: server.url }, schemas: 'enforce' });
  });

  afterAll(async () => {
    await gate.close();
    await server.close();
  });

  const person = { name: 'Ada', email: 'ada@example.org', address: { street: 'x', city: 'y' } };

  for (const { name, connect } of generations) {
    it(`is called as its own schemas say, also before anybody has listed (${name})`, async () => {
      const caller = await connect(gate.url('all'), await gate.as('alice'));
      const call = (args: Record<string, unknown>) => caller.call('json_schema_2020_12_tool', args);
      const answered = await call(person);
      expect(JSON.parse(answered.content[0]!.text!)).toEqual(person);
      await expect(call({ ...person, contactMethod: 'phone' })).rejects.toMatchObject({
        code: -32602,
        data: { reason: 'arguments-invalid', path: 'phone', keyword: 'required' },
      });
      await expect(call({ ...person, contactMethod: 'fax' })).rejects.toMatchObject({
        data: { path: 'contactMethod', keyword: 'enum' },
      });
      await expect(call({ ...person, shell: 'x' })).rejects.toMatchObject({
        data: { path: 'shell', keyword: 'additionalProperties' },
      });
      await caller.close();
    });

    it(`is given no argument that its open schemas do not name (${name})`, async () => {
      const caller = await connect(gate.url('all'), await gate.as('alice'));
      await expect(caller.call('test_sampling', { prompt: 'x', shell: 'y' })).rejects.toMatchObject({
        code: 4030,
        data: { reason: 'arguments-refused', path: 'shell', role: 'unknown', fault: 'not-declared' },
      });
      await expect(caller.call('test_sampling', { prompt: 7 })).rejects.toMatchObject({
        code: -32602,
        data: { path: 'prompt', keyword: 'type' },
      });
      await caller.close();
    });
  }

  it('hears of what was refused nothing at all', async () => {
    const caller = await generations[0]!.connect(gate.url('all'), await gate.as('alice'));
    await expect(
      caller.call('json_schema_2020_12_tool', { name: 'hunter2hunter2', phone: 5 }),
    ).rejects.toThrow();
    await caller.close();
    expect(JSON.stringify(gate.audit())).not.toContain('hunter2hunter2');
  });
});

const answer = (id: RpcMessage['id'], value: Record<string, unknown>) =>
  ({ kind: 'json', body: result(id, { resultType: 'complete', ...value }) }) as const;

describe('a server that breaks its word', () => {
  let server: Recorder;
  let gate: TestGateway;
  let structuredContent: unknown;

  const tool = {
    name: 'count',
    inputSchema: { type: 'object', properties: { of: { type: 'string' } } },
    outputSchema: { type: 'object', properties: { total: { type: 'integer' } }, required: ['total'] },
  };

  beforeAll(async () => {
    server = await startRecorder();
    server.on('tools/list', ({ id }) => answer(id, { tools: [tool] }));
    server.on('tools/call', ({ id }) => answer(id, { content: [], structuredContent }));
    gate = await startTestGateway({ upstreams: { words: server.url }, schemas: 'enforce' });
  });

  afterAll(async () => {
    await gate.close();
    await server.close();
  });

  const call = async (args: object, name = 'count') => {
    const { headers, body } = modern('tools/call', { name, arguments: args });
    return (await post(gate.url('words'), body, { headers, tls: await gate.as('alice') })).json();
  };

  it('is not relayed where a result is not what its output schema promises', async () => {
    structuredContent = { total: 3 };
    expect(await call({ of: 'x' })).toMatchObject({ result: { structuredContent } });
    for (structuredContent of [{ total: 'three' }, {}, null, undefined, [3]]) {
      expect(await call({ of: 'x' })).toMatchObject({ error: { data: { reason: 'result-invalid' } } });
    }
  });

  it('is relayed where the operator merely watches, and the audit tells', async () => {
    structuredContent = { total: 'three' };
    await gate.setPolicy(
      `${openPolicy}\narguments:\n  - { id: watch, match: { tools: [count] }, schema: alert }\n`,
    );
    expect(await call({ of: 7 })).toMatchObject({ result: { structuredContent } });
    await gate.setPolicy(openPolicy);
  });

  it('is asked nothing about a tool that it does not list', async () => {
    const before = server.messages.filter(({ method }) => method === 'tools/call').length;
    expect(await call({}, 'other')).toMatchObject({ error: { data: { reason: 'definition-unknown' } } });
    expect(server.messages.filter(({ method }) => method === 'tools/call')).toHaveLength(before);
  });
});

it('a server that is not there is told of as such, whether or not it has ever been listed', async () => {
  const server = await startRecorder();
  const { url } = server;
  await server.close();
  const gate = await startTestGateway({ upstreams: { gone: url }, schemas: 'enforce' });
  const { headers, body } = modern('tools/call', { name: 'any', arguments: {} });
  const answer = await post(gate.url('gone'), body, { headers, tls: await gate.as('alice') });
  expect(answer.json()).toMatchObject({ error: { data: { reason: 'upstream-unreachable' } } });
  await gate.close();
});
