import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

/** Forms, logins at one host, and short samplings without tools. */
const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [work]
      - { methods: [elicitation/create], actions: [ask] }
      - { resources: ["https://login.example/**", "https://*.idp.example/start/*"], actions: [ask] }
      - resources: ["https://wide.example/**", "**"]
      - methods: [sampling/createMessage]
        actions: [ask]
        when: { args: { maxTokens: { max: 1000 }, tools: { present: false } } }
    deny:
      - methods: [elicitation/create]
        actions: [ask]
        when: { args: { "requestedSchema.properties.password": { present: true } } }
bindings:
  - { roles: [caller], to: { any: true } }
`;

const form = (properties: object) => ({
  message: 'Please',
  requestedSchema: { type: 'object', properties },
});
const link = (url: unknown, more: object = {}) => ({
  mode: 'url',
  message: 'Please',
  elicitationId: 'e1',
  url,
  ...more,
});

type Asked = readonly [what: string, method: string, params: object];

const allowed: readonly Asked[] = [
  ['a form', 'elicitation/create', form({ name: { type: 'string' } })],
  ['a form that says so', 'elicitation/create', { mode: 'form', ...form({}) }],
  ['a login at the host', 'elicitation/create', link('https://login.example/authorize?x=1')],
  ['a host below the domain', 'elicitation/create', link('https://eu.idp.example/start/1')],
  ['a short sampling', 'sampling/createMessage', { messages: [], maxTokens: 1000 }],
];

const refused: readonly Asked[] = [
  ['a form for a password', 'elicitation/create', form({ password: { type: 'string' } })],
  ['a login elsewhere', 'elicitation/create', link('https://evil.example/authorize')],
  ['a host that may merely be read', 'elicitation/create', link('https://wide.example/')],
  ['a host that begins alike', 'elicitation/create', link('https://login.example.evil.example/')],
  ['a host that ends alike', 'elicitation/create', link('https://evil-login.example/')],
  ['a host in front', 'elicitation/create', link('https://login.example@evil.example/')],
  ['a host in another alphabet', 'elicitation/create', link('https://xn--lgin-hqf.example/')],
  ['a host without TLS', 'elicitation/create', link('http://login.example/')],
  ['a script', 'elicitation/create', link('javascript:alert(1)')],
  ['a way out of a folder', 'elicitation/create', link('https://eu.idp.example/start/../admin')],
  ['a way out, encoded', 'elicitation/create', link('https://eu.idp.example/start/%2e%2e/admin')],
  ['no URL', 'elicitation/create', link(undefined)],
  ['a URL that is a list', 'elicitation/create', link(['https://login.example/'])],
  ['a mode that nobody knows', 'elicitation/create', link('https://login.example/', { mode: 'URL' })],
  ['a mode that is null', 'elicitation/create', link('https://login.example/', { mode: null })],
  ['a form with a link beside it', 'elicitation/create', { ...form({}), url: 'https://login.example/' }],
  ['a long sampling', 'sampling/createMessage', { messages: [], maxTokens: 1001 }],
  ['a sampling without a bound', 'sampling/createMessage', { messages: [] }],
  ['a bound that is text', 'sampling/createMessage', { messages: [], maxTokens: '10' }],
  ['a sampling with tools', 'sampling/createMessage', { messages: [], maxTokens: 10, tools: [] }],
  ['what no rule names', 'roots/list', {}],
];

describe('a question of a server', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { w: recorder.url }, policy, door: 'plain' });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const callLegacy = () =>
    post(gate.url('w'), legacy('tools/call', { name: 'work' }), {
      headers: { 'mcp-protocol-version': '2025-11-25' },
    });
  const callModern = () => {
    const { headers, body } = modern('tools/call', { name: 'work' });
    return post(gate.url('w'), body, { headers });
  };

  /** Whether the question reaches the client in a session, inside a result, and inside a task's. */
  async function reaches(method: string, params: object): Promise<readonly boolean[]> {
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', id: 'q', method, params }),
        event({ jsonrpc: '2.0', id, result: { content: [] } }),
      ],
    }));
    const inSession = (await callLegacy()).body.toString().includes(`"method":"${method}"`);
    recorder.on('tools/call', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: { resultType: 'input_required', inputRequests: { q: { method, params } } },
      },
    }));
    const answer = await callModern();
    const inResult = answer.body.toString().includes(`"method":"${method}"`);
    if (!inResult) {
      expect(answer.json()).toMatchObject({ error: { code: 4030, data: { reason: 'result-refused' } } });
    }
    return [inSession, inResult];
  }

  for (const [what, method, params] of allowed) {
    it(`comes through: ${what}`, async () => {
      expect(await reaches(method, params)).toEqual([true, true]);
    });
  }
  for (const [what, method, params] of refused) {
    it(`should NOT come through: ${what}`, async () => {
      expect(await reaches(method, params)).toEqual([false, false]);
    });
  }

  it('never shows a URL that deceives, though policy allows every one', async () => {
    const wide = `
version: 1
roles:
  caller:
    allow:
      - { tools: [work] }
      - { methods: ["**"], resources: ["**"], actions: [ask] }
bindings:
  - { roles: [caller], to: { any: true } }
`;
    await gate.setPolicy(wide);
    expect(await reaches('elicitation/create', link('https://any.example/'))).toEqual([true, true]);
    for (const url of [
      'https://xn--lgin-hqf.example/',
      'https://127.0.0.1/',
      'https://localhost/',
      'http://any.example/',
      'https://any.example@evil.example/',
      'file:///etc/passwd',
      'vscode://any.example/x',
      'https://any_one.example/',
    ]) {
      expect([url, await reaches('elicitation/create', link(url))]).toEqual([url, [false, false]]);
    }
    await gate.setPolicy(policy);
  });

  it('in an error is decided on URL by URL', async () => {
    const error = (data: unknown) => {
      recorder.on('tools/call', ({ id }) => ({
        kind: 'json',
        body: { jsonrpc: '2.0', id, error: { code: -32042, message: 'Open these', data } },
      }));
      return Promise.all([callLegacy(), callModern()]);
    };
    const good = link('https://login.example/a');
    for (const answer of await error({ elicitations: [good] })) {
      expect(answer.json()).toMatchObject({ error: { code: -32042, data: { elicitations: [good] } } });
    }
    const urls = refused.filter(([, method, params]) => method === 'elicitation/create' && 'url' in params);
    for (const data of [
      ...urls.map(([, , params]) => ({ elicitations: [good, params] })),
      { elicitations: [] },
      { elicitations: good },
      { elicitations: [form({})] },
      { elicitations: Array.from({ length: 17 }, () => good) },
      {},
      undefined,
    ]) {
      for (const answer of await error(data)) {
        expect({ data, reason: answer.json<{ error: { data: unknown } }>().error.data }).toEqual({
          data,
          reason: { reason: 'result-refused' },
        });
      }
    }
  });

  it('is told to be over only to the client that was asked, and once', async () => {
    const complete = (elicitationId: string) =>
      event({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId } });
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        complete('e2'),
        event({
          jsonrpc: '2.0',
          id: 'q',
          method: 'elicitation/create',
          params: link('https://login.example/', { elicitationId: 'e2' }),
        }),
        complete('strange'),
        complete('e2'),
        complete('e2'),
        event({ jsonrpc: '2.0', id, result: { content: [] } }),
      ],
    }));
    const text = (await callLegacy()).body.toString();
    expect(text.match(/elicitation\/complete/g)).toHaveLength(1);
    expect(text).not.toContain('strange');
  });
});
