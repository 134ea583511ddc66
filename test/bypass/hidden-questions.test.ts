import { beforeAll, describe, expect, it } from 'vitest';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Answer, event, type RpcMessage } from '../support/recorder-answers.ts';
import { type Arena, startArena } from './arena.ts';

/** Questions that policy forbids, and questions that the client cannot answer, in every place where one can stand. */
const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [job]
      - methods: ["tasks/*", subscriptions/listen]
      - { methods: [elicitation/create, sampling/createMessage], actions: [ask] }
      - { resources: ["https://login.example/**"], actions: [ask] }
bindings:
  - { roles: [caller], to: { any: true } }
`;

type Params = Readonly<Record<string, unknown>>;

let arena: Arena;

beforeAll(async () => {
  arena = await startArena({ policy });
});

const tasks = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const all = { ...tasks, sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} };

function ask(method: string, params: Params, capabilities: Params = all): Promise<RawAnswer> {
  const { headers, body } = modern(method, params, { capabilities });
  const taskId = params['taskId'];
  const named = typeof taskId === 'string' ? { ...headers, 'mcp-name': taskId } : headers;
  return post(arena.url, body, { headers: named });
}

const json = ({ id }: RpcMessage, result: Params): Answer => ({
  kind: 'json',
  body: { jsonrpc: '2.0', id, result },
});

async function beginTask(): Promise<string> {
  arena.recorder.on('tools/call', (message) =>
    json(message, { resultType: 'task', taskId: 'job-1', status: 'working', ttlMs: 60_000 }),
  );
  const begun = await ask('tools/call', { name: 'job', arguments: {} });
  return begun.json<{ result: { taskId: string } }>().result.taskId;
}

const form = { method: 'elicitation/create', params: { message: 'Please', requestedSchema: {} } };
const login = (url: string) => ({
  method: 'elicitation/create',
  params: { mode: 'url', message: 'Please', elicitationId: 'e', url },
});
const asking = (question: object) => ({ inputRequests: { q: question } });

/** Results of `tasks/get` that hold a question: of the task itself, or inside what it has come to. */
const places: readonly (readonly [string, (question: object) => Params])[] = [
  ['a task', (question) => ({ status: 'input_required', ...asking(question) })],
  ['its result', (question) => ({ status: 'completed', result: { content: [], ...asking(question) } })],
  [
    'its result, which says so',
    (question) => ({
      status: 'completed',
      result: { resultType: 'input_required', requestState: 's', ...asking(question) },
    }),
  ],
];

describe('a question in the course of a task', () => {
  for (const [place, put] of places) {
    const poll = async (question: object, capabilities?: Params): Promise<RawAnswer> => {
      const taskId = await beginTask();
      arena.recorder.on('tasks/get', (message) =>
        json(message, { resultType: 'complete', taskId: 'job-1', ...put(question) }),
      );
      return ask('tasks/get', { taskId }, capabilities);
    };

    it(`should NOT come through where policy forbids it, in ${place}`, async () => {
      for (const question of [
        login('https://evil.example/'),
        { method: 'roots/list' },
        { method: 'tools/call', params: { name: 'job' } },
        { ...form, Method: 'roots/list' },
        { ...form, params: { ...form.params, URL: 'https://evil.example/' } },
      ]) {
        const answer = await poll(question);
        expect(answer.json()).toMatchObject({ error: { code: expect.any(Number) } });
        expect(answer.body.toString()).not.toMatch(/evil|roots|inputRequests/);
      }
      expect((await poll(form)).body.toString()).toContain('inputRequests');
    });

    it(`should NOT come through where the client did not declare it, in ${place}`, async () => {
      const answer = await poll(form, tasks);
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({
        error: {
          code: -32021,
          data: { reason: 'capability-missing', requiredCapabilities: { elicitation: { form: {} } } },
        },
      });
    });
  }
});

describe('a question in a result', () => {
  const sampling = (more: object) => ({
    method: 'sampling/createMessage',
    params: { messages: [], maxTokens: 1, ...more },
  });
  const cases: readonly (readonly [what: string, capabilities: Params, question: object, comes: boolean])[] =
    [
      ['a form, with nothing declared', {}, form, false],
      ['a form, for a client of forms', { elicitation: {} }, form, true],
      ['a form, for a client that names forms', { elicitation: { form: {} } }, form, true],
      ['a form, for a client of URLs alone', { elicitation: { url: {} } }, form, false],
      ['a URL, for a client of forms', { elicitation: {} }, login('https://login.example/a'), false],
      ['a URL, for a client of URLs', { elicitation: { url: {} } }, login('https://login.example/a'), true],
      ['a sampling, with nothing declared', { elicitation: {} }, sampling({}), false],
      ['a sampling', { sampling: {} }, sampling({}), true],
      ['tools, for a client without them', { sampling: {} }, sampling({ tools: [] }), false],
      ['tools, for a client with them', { sampling: { tools: {} } }, sampling({ tools: [] }), true],
      ['a choice of tools, for a client without', { sampling: {} }, sampling({ toolChoice: {} }), false],
      ['a form, where what is declared is no object', { elicitation: true }, form, false],
    ];
  for (const [what, capabilities, question, comes] of cases) {
    it(`${comes ? 'comes through' : 'should NOT come through'}: ${what}`, async () => {
      arena.recorder.on('tools/call', (message) =>
        json(message, { resultType: 'input_required', ...asking(question) }),
      );
      const answer = await ask('tools/call', { name: 'job', arguments: {} }, capabilities);
      expect(answer.json()).toMatchObject(
        comes ? { result: { inputRequests: {} } } : { error: { code: -32021 } },
      );
    });
  }
});

describe('an error that asks to open URLs', () => {
  const good = { mode: 'url', message: 'Please', elicitationId: 'e', url: 'https://login.example/a' };
  const answerWith = async (era: 'modern' | 'legacy', data: object): Promise<string> => {
    arena.recorder.on('tools/call', ({ id }) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id, error: { code: -32042, message: 'x', data } },
    }));
    const answer =
      era === 'modern'
        ? await ask('tools/call', { name: 'job', arguments: {} })
        : await post(arena.url, legacy('tools/call', { name: 'job' }), {
            headers: { 'mcp-protocol-version': '2025-11-25' },
          });
    return answer.body.toString();
  };
  const evil = 'https://evil.example/';

  for (const era of ['modern', 'legacy'] as const) {
    it(`should NOT show another URL than was decided on (${era})`, async () => {
      for (const data of [
        { elicitations: [good, { ...good, url: evil }] },
        { elicitations: [{ ...good, URL: evil }] },
        { elicitations: [{ ...good, 'url ': evil }] },
        { elicitations: [{ ...good, ｕｒｌ: evil }] },
        { elicitations: [{ ...good, Mode: 'form', url: evil }] },
        { elicitations: [good], Elicitations: [{ ...good, url: evil }] },
        { elicitations: { 0: { ...good, url: evil } } },
        { elicitations: Array.from({ length: 17 }, () => ({ ...good, url: evil })) },
        { url: evil, elicitations: [good] },
        { url: evil },
      ]) {
        expect(await answerWith(era, data)).not.toContain('evil');
      }
      expect(await answerWith(era, { elicitations: [good, good] })).toContain('login.example');
    });
  }
});

describe('a notification', () => {
  it('should NOT bring a question that policy forbids, in either era', async () => {
    const params = { level: 'error', data: 'x', inputRequests: { q: login('https://evil.example/') } };
    arena.recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', method: 'notifications/message', params }),
        event({ jsonrpc: '2.0', id, result: { content: [] } }),
      ],
    }));
    const old = await post(arena.url, legacy('tools/call', { name: 'job' }), {
      headers: { 'mcp-protocol-version': '2025-11-25' },
    });
    expect(old.body.toString()).toContain('"content":[]');
    expect(old.body.toString()).not.toContain('evil');
  });
});
