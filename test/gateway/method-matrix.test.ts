import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MethodRow, methods } from '../../src/mcp/methods.ts';
import { type Revision, revisions } from '../../src/mcp/revision.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, type RpcMessage } from '../support/recorder-answers.ts';

/**
 * Method by direction by revision by (allowed, denied, unknown): what reaches the other side, and what is answered.
 * Every row of the method table must have an expectation here, and every expectation a row.
 *
 * alice may do and be asked everything that has a name. barred may use one tool that no test asks for, and no method:
 * what is implied for others is denied to it by rule.
 */
const policy = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"] }
  little:
    allow:
      - tools: [unused]
    deny:
      - methods: ["**"]
bindings:
  - roles: [everything]
    to: { certificate: { uri: "spiffe://test.local/alice" } }
  - roles: [little]
    to: { certificate: { uri: "spiffe://test.local/barred" } }
`;

type Params = Readonly<Record<string, unknown>>;

/** What a client asks, as honest clients do, and the same for something that nobody has. */
interface Asking {
  readonly params: (revision: Revision) => Params | Promise<Params>;
  /** The same question about something invented, where there is one. A handle is told from a name. */
  readonly invented?: { readonly params: Params; readonly handle?: true };
}

const task: Asking = {
  params: async (revision) => ({ taskId: await beginTask(revision) }),
  invented: { params: { taskId: 'invented' }, handle: true },
};
const list: Asking = { params: () => ({}), invented: { params: { cursor: 'invented' }, handle: true } };
const uri = (found: string): Asking => ({
  params: () => ({ uri: found }),
  invented: { params: { uri: 'test://invented' } },
});

const askings: Readonly<Record<string, Asking>> = {
  initialize: {
    params: (protocolVersion) => ({
      protocolVersion,
      capabilities: {},
      clientInfo: { name: 'matrix', version: '1' },
    }),
  },
  'server/discover': { params: () => ({}) },
  ping: { params: () => ({}) },
  'tools/list': list,
  'tools/call': {
    params: () => ({ name: 'echo', arguments: {} }),
    invented: { params: { name: 'invented', arguments: {} } },
  },
  'resources/list': list,
  'resources/templates/list': list,
  'resources/read': uri('test://text'),
  'resources/subscribe': uri('test://text'),
  'resources/unsubscribe': uri('test://text'),
  'prompts/list': list,
  'prompts/get': { params: () => ({ name: 'greet' }), invented: { params: { name: 'invented' } } },
  'completion/complete': {
    params: () => ({ ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'a', value: '' } }),
    invented: {
      params: { ref: { type: 'ref/prompt', name: 'invented' }, argument: { name: 'a', value: '' } },
    },
  },
  'logging/setLevel': { params: () => ({ level: 'debug' }) },
  'subscriptions/listen': {
    params: () => ({ notifications: { toolsListChanged: true, resourceSubscriptions: ['test://text'] } }),
    invented: { params: { notifications: { taskIds: ['invented'] } }, handle: true },
  },
  'tasks/get': task,
  'tasks/result': task,
  'tasks/list': list,
  'tasks/cancel': task,
  'tasks/update': task,
  'skills/list': list,
  'skills/get': uri('skill://a'),
  'resources/directory/read': uri('skill://a'),
};

/** What clients tell. Where nothing fits that was asked before, it ends here, whoever tells it. */
const tellings: Readonly<Record<string, { readonly params: Params; readonly needs?: 'something asked' }>> = {
  'notifications/initialized': { params: {} },
  'notifications/roots/list_changed': { params: {} },
  'notifications/cancelled': { params: { requestId: 5 }, needs: 'something asked' },
  'notifications/progress': { params: { progressToken: 'p', progress: 1 }, needs: 'something asked' },
  'notifications/tasks/status': { params: { taskId: 't', status: 'working' }, needs: 'something asked' },
};

/** What servers ask, in sessions as requests, since 2026-07-28 in results. */
const questions: Readonly<Record<string, { readonly params: Params; readonly needs?: 'something given' }>> = {
  ping: { params: {} },
  'sampling/createMessage': { params: { messages: [], maxTokens: 10 } },
  'elicitation/create': {
    params: { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } },
  },
  'roots/list': { params: {} },
  'tasks/get': { params: { taskId: 'client-task' }, needs: 'something given' },
  'tasks/result': { params: { taskId: 'client-task' }, needs: 'something given' },
  'tasks/cancel': { params: { taskId: 'client-task' }, needs: 'something given' },
  'tasks/list': { params: {} },
};

/** What servers tell in the course of a call; `never` where it belongs to something that was not begun. */
const notices: Readonly<
  Record<string, { readonly params: Params; readonly comes: 'always' | 'never' | 'legacy' | 'allowed' }>
> = {
  'notifications/cancelled': { params: { requestId: 5 }, comes: 'never' },
  'notifications/progress': { params: { progressToken: 'nobody', progress: 1 }, comes: 'never' },
  'notifications/message': { params: { level: 'info', data: 'x' }, comes: 'legacy' },
  'notifications/tools/list_changed': { params: {}, comes: 'legacy' },
  'notifications/prompts/list_changed': { params: {}, comes: 'legacy' },
  'notifications/resources/list_changed': { params: {}, comes: 'legacy' },
  'notifications/resources/updated': { params: { uri: 'test://text' }, comes: 'legacy' },
  'notifications/elicitation/complete': { params: { elicitationId: 'nobody' }, comes: 'never' },
  'notifications/tasks/status': { params: { taskId: 'nobody', status: 'working' }, comes: 'never' },
  'notifications/tasks': { params: { taskId: 'nobody', status: 'working' }, comes: 'never' },
  'notifications/subscriptions/acknowledged': { params: { notifications: {} }, comes: 'never' },
};

const up = (row: MethodRow) => row.direction !== 'toClient';
const down = (row: MethodRow) => row.direction !== 'toUpstream';
const namesOf = (kind: MethodRow['kind'], way: (row: MethodRow) => boolean): readonly string[] =>
  [...new Set(methods.filter((row) => row.kind === kind && way(row)).map(({ method }) => method))].sort();
const exists = (
  method: string,
  revision: Revision,
  kind: MethodRow['kind'],
  way: (row: MethodRow) => boolean,
) =>
  methods.some(
    (row) => row.method === method && row.kind === kind && way(row) && row.revisions.has(revision),
  );

it('every row of the method table has an expectation, and every expectation a row', () => {
  expect(namesOf('request', up)).toEqual(Object.keys(askings).sort());
  expect(namesOf('notification', up)).toEqual(Object.keys(tellings).sort());
  expect(namesOf('request', down)).toEqual(Object.keys(questions).sort());
  expect(namesOf('notification', down)).toEqual(Object.keys(notices).sort());
});

const denied = { code: 4030, message: 'Not allowed, or not available', data: { reason: 'denied' } };
const unknownHandle = {
  code: -32602,
  message: 'Not found, or no longer known',
  data: { reason: 'handle-unknown' },
};
const unknownMethod = {
  code: -32601,
  message: 'The method is not available on this server',
  data: { reason: 'method-unknown' },
};
const errorText = (error: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, error });

let recorder: Recorder;
let gate: TestGateway;
const tls: Record<string, Awaited<ReturnType<TestGateway['as']>>> = {};

beforeAll(async () => {
  recorder = await startRecorder();
  gate = await startTestGateway({ upstreams: { w: recorder.url }, policy });
  for (const who of ['alice', 'barred']) tls[who] = await gate.as(who);
  serve();
});

afterAll(async () => {
  await gate.close();
  await recorder.close();
});

/** Answers to what the recorder does not know by itself. */
function serve(): void {
  const say = (method: string, result: (message: RpcMessage) => Params) =>
    recorder.on(method, (message) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...result(message) } },
    }));
  const sameTask = ({ params }: RpcMessage): Params => ({ taskId: params?.['taskId'], status: 'working' });
  say('tasks/get', sameTask);
  say('tasks/cancel', sameTask);
  say('tasks/update', () => ({}));
  say('tasks/result', () => ({ content: [] }));
  say('tasks/list', () => ({ tasks: [] }));
  say('skills/list', () => ({ skills: [] }));
  say('skills/get', () => ({ skill: {} }));
  say('resources/directory/read', () => ({ resources: [] }));
  say('subscriptions/listen', () => ({}));
}

const capabilities = {
  sampling: {},
  elicitation: {},
  roots: {},
  extensions: { 'io.modelcontextprotocol/tasks': {} },
};

function ask(who: string, method: string, params: Params, revision: Revision): Promise<RawAnswer> {
  return send(who, legacy(method, params), modern(method, params, { capabilities }), revision);
}

function tell(who: string, method: string, params: Params, revision: Revision): Promise<RawAnswer> {
  const { id: _old, ...old } = legacy(method, params);
  const { headers, body } = modern(method, params);
  const { id: _new, ...told } = body;
  return send(who, old, { headers, body: told }, revision);
}

function send(
  who: string,
  old: RpcMessage,
  { headers, body }: ReturnType<typeof modern>,
  revision: Revision,
): Promise<RawAnswer> {
  const url = gate.url('w');
  if (revision !== '2026-07-28') {
    const asked = old.method === 'initialize' ? {} : { 'mcp-protocol-version': revision };
    return post(url, old, { headers: asked, tls: tls[who]! });
  }
  const taskId = body.params?.['taskId'];
  const named = typeof taskId === 'string' ? { ...headers, 'mcp-name': taskId } : headers;
  return post(url, body, { headers: named, tls: tls[who]! });
}

/** Begins a task of alice's. */
async function beginTask(revision: Revision): Promise<string> {
  const made = { taskId: 'job-1', status: 'working', ttl: 60_000 };
  recorder.on('tools/call', ({ id }) => ({
    kind: 'json',
    body: {
      jsonrpc: '2.0',
      id,
      result: revision === '2026-07-28' ? { resultType: 'task', ...made } : { task: made },
    },
  }));
  const answer = await ask('alice', 'tools/call', { name: 'echo', arguments: {} }, revision);
  recorder.on('tools/call', undefined);
  const { result } = answer.json<{ result: { taskId?: string; task?: { taskId: string } } }>();
  return (result.taskId ?? result.task?.taskId)!;
}

/** What reached the upstream meanwhile, without the gateway's own look at its tools. */
async function watching<T>(
  act: () => Promise<T>,
): Promise<{ readonly value: T; readonly methods: string[] }> {
  const from = recorder.messages.length;
  const value = await act();
  const reached = recorder.messages.slice(from).filter(({ id }) => !String(id).startsWith('catalog-'));
  return { value, methods: reached.map(({ method }) => method ?? 'answer') };
}

describe('a request of a client', () => {
  for (const [method, asking] of Object.entries(askings)) {
    it(method, async () => {
      for (const revision of revisions) {
        if (!exists(method, revision, 'request', up)) {
          const params = { name: 'echo', uri: 'test://text', taskId: 't' };
          const { value, methods } = await watching(() => ask('alice', method, params, revision));
          const status = revision === '2026-07-28' ? 404 : 200;
          expect({ revision, methods, status: value.status, body: value.body.toString() }).toEqual({
            revision,
            methods: [],
            status,
            body: errorText(unknownMethod),
          });
          continue;
        }
        const params = await asking.params(revision);
        const allowed = await watching(() => ask('alice', method, params, revision));
        expect({ revision, status: allowed.value.status, methods: allowed.methods }).toEqual({
          revision,
          status: 200,
          methods: [method],
        });
        expect(allowed.value.json()).toMatchObject({ id: 1, result: {} });
        const refused = await watching(() => ask('barred', method, params, revision));
        expect({ revision, methods: refused.methods, status: refused.value.status }).toEqual({
          revision,
          methods: [],
          status: 200,
        });
        expect(refused.value.body.toString()).toBe(errorText(denied));
        if (asking.invented === undefined) continue;
        // To whom it is denied, what exists and what does not are the same; so are handles.
        const { params: invented, handle } = asking.invented;
        const hidden = await watching(() => ask('barred', method, invented, revision));
        expect(hidden.methods).toEqual([]);
        expect(hidden.value.body.toString()).toBe(errorText(denied));
        if (handle !== true) continue;
        const unknown = await watching(() => ask('alice', method, invented, revision));
        expect({ revision, status: unknown.value.status, methods: unknown.methods }).toEqual({
          revision,
          status: 200,
          methods: [],
        });
        expect(unknown.value.body.toString()).toBe(errorText(unknownHandle));
      }
    });
  }
});

describe('a notification of a client', () => {
  for (const [method, { params, needs }] of Object.entries(tellings)) {
    it(method, async () => {
      for (const revision of revisions) {
        const known = exists(method, revision, 'notification', up);
        const allowed = await watching(() => tell('alice', method, params, revision));
        expect({ revision, status: allowed.value.status, methods: allowed.methods }).toEqual({
          revision,
          status: 202,
          methods: known && needs === undefined ? [method] : [],
        });
        const refused = await watching(() => tell('barred', method, params, revision));
        const isDenied = known && (needs === undefined || method === 'notifications/tasks/status');
        expect({ revision, status: refused.value.status, methods: refused.methods }).toEqual({
          revision,
          status: isDenied ? 403 : 202,
          methods: [],
        });
      }
    });
  }
});

/** What the client gets while the server says something in the course of a call. */
async function during(who: string, said: Params, revision: Revision) {
  recorder.on('tools/call', ({ id }) => ({
    kind: 'sse',
    chunks: [
      event({ jsonrpc: '2.0', ...said }),
      event({ jsonrpc: '2.0', id, result: { resultType: 'complete', content: [] } }),
    ],
  }));
  const name = who === 'alice' ? 'echo' : 'unused';
  const seen = await watching(() => ask(who, 'tools/call', { name, arguments: {} }, revision));
  recorder.on('tools/call', undefined);
  const text = seen.value.body.toString();
  return {
    heard: text.includes(`"method":"${said['method']}"`),
    answered: text.includes('"content":[]'),
    seen,
  };
}

describe('a request of a server', () => {
  for (const [method, { params, needs }] of Object.entries(questions)) {
    it(method, async () => {
      for (const revision of revisions) {
        const known = exists(method, revision, 'request', down);
        const free = methods.some((row) => row.method === method && down(row) && row.access === 'free');
        const asked = { id: 77, method, params };
        for (const who of ['alice', 'barred']) {
          const { heard, answered, seen } = await during(who, asked, revision);
          const isHeard = known && needs === undefined && (who === 'alice' || free);
          expect({ who, revision, heard, answered }).toEqual({
            who,
            revision,
            heard: isHeard,
            answered: true,
          });
          // A session's server is told that nobody will answer; since 2026-07-28 there is nowhere to tell it.
          const told = !isHeard && revision !== '2026-07-28';
          expect({ who, revision, methods: seen.methods }).toEqual({
            who,
            revision,
            methods: told ? ['tools/call', 'answer'] : ['tools/call'],
          });
        }
      }
    });

    it(`${method} inside a result`, async () => {
      const mayRide = ['sampling/createMessage', 'elicitation/create', 'roots/list'].includes(method);
      recorder.on('tools/call', ({ id }) => ({
        kind: 'json',
        body: {
          jsonrpc: '2.0',
          id,
          result: { resultType: 'input_required', inputRequests: { q: { method, params } } },
        },
      }));
      for (const revision of revisions) {
        const allowed = await ask('alice', 'tools/call', { name: 'echo', arguments: {} }, revision);
        const refused = await ask('barred', 'tools/call', { name: 'unused', arguments: {} }, revision);
        const reason = { error: { code: 4030, data: { reason: 'result-refused' } } };
        expect(refused.json()).toMatchObject(reason);
        expect(allowed.json()).toMatchObject(
          mayRide ? { result: { inputRequests: { q: { method } } } } : reason,
        );
      }
      recorder.on('tools/call', undefined);
    });
  }
});

describe('a notification of a server', () => {
  for (const [method, { params, comes }] of Object.entries(notices)) {
    it(method, async () => {
      for (const revision of revisions) {
        const known = exists(method, revision, 'notification', down);
        const targeted = methods.some((row) => row.method === method && down(row) && row.access === 'target');
        for (const who of ['alice', 'barred']) {
          const { heard, answered, seen } = await during(who, { method, params }, revision);
          const comesHere = known && comes === 'legacy' && revision !== '2026-07-28';
          expect({ who, revision, heard, answered, methods: seen.methods }).toEqual({
            who,
            revision,
            heard: comesHere && (who === 'alice' || !targeted),
            answered: true,
            methods: ['tools/call'],
          });
        }
      }
    });
  }
});

describe('both eras', () => {
  it('agree on every method that both have', () => {
    const shared = methods.filter(
      (row) => row.kind === 'request' && up(row) && row.revisions.has('2025-11-25'),
    );
    const differing = shared.flatMap((row) => {
      const other = methods.find(
        (one) =>
          one.method === row.method && one.kind === 'request' && up(one) && one.revisions.has('2026-07-28'),
      );
      if (other === undefined) return [];
      return row.access === other.access &&
        row.action === other.action &&
        row.targets.join() === other.targets.join() &&
        row.task === other.task &&
        row.pages === other.pages
        ? []
        : [row.method];
    });
    expect(differing).toEqual([]);
  });
});
