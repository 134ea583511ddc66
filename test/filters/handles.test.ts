import { beforeEach, describe, expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { runToClient, runToUpstream } from '../../src/pipeline/run.ts';
import {
  call,
  type ExchangeShape,
  frameOf,
  makeExchange,
  makeGate,
  modernCall,
  modernExchange,
  modernMeta,
  note,
  policyOf,
  principal,
  resultOf,
  type TestGate,
} from './support.ts';

const policy = policyOf(`
version: 1
roles:
  caller:
    allow:
      - { tools: [job, other], methods: ["**"] }
arguments:
  - { match: {}, schema: "off" }
bindings:
  - { roles: [caller], to: [{ any: true }] }
`);

const extension = {
  'io.modelcontextprotocol/clientCapabilities': {
    sampling: {},
    elicitation: {},
    roots: {},
    extensions: { 'io.modelcontextprotocol/tasks': {} },
  },
};
const related = (taskId: string) => ({ 'io.modelcontextprotocol/related-task': { taskId } });

let gate: TestGate;
beforeEach(() => {
  gate = makeGate();
});

/** An exchange of either era under the policy of this file. */
function exchangeFor(request: Frame, shape: ExchangeShape = {}): Exchange {
  const modern = 'params' in request && JSON.stringify(request.params ?? {}).includes('protocolVersion');
  const taskId = 'params' in request ? request.params?.['taskId'] : undefined;
  const headers = typeof taskId === 'string' ? { 'mcp-name': taskId } : {};
  if (modern) return modernExchange(request, { policy, headers, ...shape });
  const exchange = makeExchange({ request, policy, revision: '2025-11-25', ...shape });
  return exchange;
}

/** Sends a frame through the whole list; the word for the refusal where there is one. */
async function go(frame: Frame, shape: ExchangeShape = {}) {
  const exchange = exchangeFor(frame, shape);
  const passage = await runToUpstream(gate.filters, frame, exchange);
  return { exchange, sent: passage.kind === 'go' ? passage.frame : undefined, told: wordOf(passage) };
}

async function back(exchange: Exchange, frame: Frame) {
  const passage = await runToClient(gate.filters, frame, exchange);
  return { got: passage.kind === 'go' ? passage.frame : undefined, told: wordOf(passage) };
}

function wordOf(passage: Awaited<ReturnType<typeof runToClient>>): string {
  if (passage.kind === 'reject') return passage.error.code;
  return passage.kind === 'drop' ? `drop ${passage.reason}` : 'go';
}

interface Answered {
  readonly taskId: string;
  readonly task: { readonly taskId: string };
  readonly inputRequests: Readonly<Record<string, unknown>>;
}

/** A request and its result, through the whole list. */
async function round(frame: Frame, result: object, shape: ExchangeShape = {}) {
  const { exchange, sent, told } = await go(frame, shape);
  if (sent?.kind !== 'request') throw new Error(told);
  const answer = await back(exchange, resultOf(sent.id, result));
  const value = answer.got?.kind === 'result' ? answer.got.result : undefined;
  return { sent, value: value as unknown as Answered, told: answer.told, exchange };
}

const modernParams = (params: object) => ({ _meta: { ...modernMeta, ...extension }, ...params });
const ask = (method: string, params: object, id = 1): Frame => modernCall(method, modernParams(params), id);

async function modernTask(upstreamId = 'job-1', name = 'job', shape: ExchangeShape = {}): Promise<string> {
  const made = { resultType: 'task', taskId: upstreamId, status: 'working' };
  return (await round(ask('tools/call', { name, arguments: {} }), made, shape)).value.taskId;
}

async function legacyTask(upstreamId = 'job-1', shape: ExchangeShape = {}): Promise<string> {
  const request = call('tools/call', { name: 'job', arguments: {}, task: { ttl: 1 } });
  const made = { task: { taskId: upstreamId, status: 'working' } };
  return (await round(request, made, shape)).value.task.taskId;
}

describe('questions of a task', () => {
  const questions = {
    confirm: {
      method: 'elicitation/create',
      params: { message: 'Sure?', requestedSchema: { type: 'object' } },
    },
    'a.b': { method: 'roots/list' },
  };

  const poll = async (taskId: string) =>
    (
      await round(ask('tasks/get', { taskId }), {
        resultType: 'complete',
        taskId: 'job-1',
        status: 'input_required',
        inputRequests: questions,
      })
    ).value.inputRequests;

  const update = (taskId: string, inputResponses: object, shape: ExchangeShape = {}) =>
    go(ask('tasks/update', { taskId, inputResponses }), shape);

  test('have the same keys at each poll, and answers reach the server under its own', async () => {
    const taskId = await modernTask();
    const first = await poll(taskId);
    expect(Object.keys(await poll(taskId))).toEqual(Object.keys(first));
    expect(Object.values(first)).toEqual(Object.values(questions));
    const [confirm, roots] = Object.keys(first);
    const { sent } = await update(taskId, {
      [confirm!]: { action: 'accept', content: { ok: true } },
      [roots!]: { roots: [] },
    });
    expect(sent).toMatchObject({
      params: {
        taskId: 'job-1',
        inputResponses: { confirm: { action: 'accept', content: { ok: true } }, 'a.b': { roots: [] } },
      },
    });
  });

  test('take no answer to what was not asked, or of another kind', async () => {
    const taskId = await modernTask();
    const other = await modernTask('job-2');
    const [confirm = '', roots = ''] = Object.keys(await poll(taskId));
    const accept = { action: 'accept' };
    const tag = confirm.slice(0, confirm.indexOf('.'));
    for (const inputResponses of [
      { confirm: accept },
      { [`${confirm}x`]: accept },
      { [confirm.slice(1)]: accept },
      { [confirm.replace('elicitation/create', 'roots/list')]: { roots: [] } },
      { [`${tag}.elicitation/create.other`]: accept },
      { [roots]: accept },
      { [confirm]: { roots: [] } },
      { [confirm]: null },
      { [confirm]: accept, other: accept },
      { constructor: accept },
    ]) {
      expect([inputResponses, (await update(taskId, inputResponses)).told]).toEqual([
        inputResponses,
        'handle-unknown',
      ]);
    }
    expect((await update(other, { [confirm]: accept })).told).toBe('handle-unknown');
    expect((await update(taskId, { [confirm]: accept }, { principal: principal('bob') })).told).toBe(
      'handle-unknown',
    );
    expect((await update(taskId, { [confirm]: accept })).told).toBe('go');
  });
});

describe('what a server says of tasks', () => {
  test('an answer about another task than the one asked for is refused', async () => {
    const taskId = await modernTask();
    const { told } = await round(ask('tasks/get', { taskId }), { resultType: 'complete', taskId: 'job-2' });
    expect(told).toBe('upstream-invalid');
  });

  test('ids that no header could carry are refused', async () => {
    for (const taskId of ['', 'a b', 'ä', 'a\u0000', 'x'.repeat(257), 5, null, undefined]) {
      const made = { resultType: 'task', taskId, status: 'working' };
      const { told } = await round(ask('tools/call', { name: 'job', arguments: {} }), made);
      expect([taskId, told]).toEqual([taskId, 'upstream-invalid']);
    }
  });

  test('one task told twice has one name, and belongs to the tool that began it', async () => {
    expect(await modernTask()).toBe(await modernTask());
    const made = { resultType: 'task', taskId: 'job-1', status: 'working' };
    const { told } = await round(ask('tools/call', { name: 'other', arguments: {} }), made);
    expect(told).toBe('upstream-invalid');
  });

  test('works on every replica that has the keys', async () => {
    const keys = [Buffer.alloc(32, 9)];
    gate = makeGate({}, { keys });
    const taskId = await modernTask();
    gate = makeGate({}, { keys: [Buffer.alloc(32, 8), ...keys] });
    expect((await go(ask('tasks/get', { taskId }))).sent).toMatchObject({ params: { taskId: 'job-1' } });
    gate = makeGate({}, { keys: [Buffer.alloc(32, 8)] });
    expect((await go(ask('tasks/get', { taskId }))).told).toBe('handle-unknown');
  });

  test('opens for a day', async () => {
    const taskId = await modernTask();
    gate.clock.now += 86_400_000;
    expect((await go(ask('tasks/get', { taskId }))).told).toBe('go');
    gate.clock.now += 1;
    expect((await go(ask('tasks/get', { taskId }))).told).toBe('handle-unknown');
  });

  test('a listener hears of its own tasks under its own names', async () => {
    const mine = await modernTask('job-1');
    await modernTask('job-2', 'job', { principal: principal('bob') });
    const listen = ask('subscriptions/listen', { notifications: { taskIds: [mine] } }, 9);
    const { exchange, sent } = await go(listen);
    expect(sent).toMatchObject({ params: { notifications: { taskIds: ['job-1'] } } });
    const id = sent?.kind === 'request' ? sent.id : '';
    const tagged = { _meta: { 'io.modelcontextprotocol/subscriptionId': id } };
    const say = (method: string, params: object) =>
      back(exchange, note(`notifications/${method}`, { ...tagged, ...params }, 'toClient'));
    const acknowledged = await say('subscriptions/acknowledged', {
      notifications: { taskIds: ['job-1', 'job-2'] },
    });
    expect(acknowledged.got).toMatchObject({ params: { notifications: { taskIds: [mine] } } });
    expect((await say('tasks', { taskId: 'job-1', status: 'working' })).got).toMatchObject({
      params: { taskId: mine },
    });
    for (const taskId of ['job-2', 'job-3', mine, 5]) {
      expect([taskId, (await say('tasks', { taskId, status: 'working' })).told]).toEqual([
        taskId,
        'drop task-unknown',
      ]);
    }
  });

  test('a session hears of its own tasks, and what belongs to another’s comes without its name', async () => {
    const mine = await legacyTask('job-1');
    await legacyTask('job-2', { principal: principal('bob') });
    const open = makeExchange({
      request: { kind: 'stream-open', lastEventId: undefined },
      policy,
      revision: '2025-11-25',
    });
    const status = (taskId: string) =>
      back(open, note('notifications/tasks/status', { taskId, status: 'working' }, 'toClient'));
    expect((await status('job-1')).got).toMatchObject({ params: { taskId: mine } });
    for (const id of ['job-2', 'job-3', mine]) expect((await status(id)).told).toBe('drop task-unknown');

    const log = (taskId: string) =>
      back(
        open,
        note('notifications/message', { level: 'info', data: 'x', _meta: related(taskId) }, 'toClient'),
      );
    expect((await log('job-1')).got).toMatchObject({ params: { _meta: related(mine) } });
    const stripped = await log('job-2');
    expect(JSON.stringify(stripped.got)).not.toContain('related-task');
    expect(stripped.told).toBe('go');
  });

  test('a question and its answer name the task that they belong to, each side its own way', async () => {
    const mine = await legacyTask('job-1');
    const { exchange, sent } = await go(call('tasks/result', { taskId: mine }));
    expect(sent).toMatchObject({ params: { taskId: 'job-1' } });
    const question = await back(
      exchange,
      frameOf(
        {
          jsonrpc: '2.0',
          id: 'q',
          method: 'elicitation/create',
          params: { message: 'Sure?', requestedSchema: {}, _meta: related('job-1') },
        },
        'toClient',
      ),
    );
    expect(question.got).toMatchObject({ params: { _meta: related(mine) } });
    const answer = { action: 'accept', _meta: related(mine) };
    const answered = await go(frameOf({ jsonrpc: '2.0', id: 'q', result: answer }));
    expect(answered.sent).toMatchObject({ result: { action: 'accept', _meta: related('job-1') } });
    const id = sent?.kind === 'request' ? sent.id : '';
    const result = await back(exchange, resultOf(id, { content: [], _meta: related('job-1') }));
    expect(result.got).toMatchObject({ result: { _meta: related(mine) } });
  });

  test('a request that claims to belong to a foreign task is one with a foreign handle', async () => {
    const mine = await legacyTask('job-1');
    const claim = (taskId: string, shape: ExchangeShape = {}) =>
      go(call('tools/call', { name: 'job', arguments: {}, _meta: related(taskId) }), shape);
    expect((await claim(mine)).sent).toMatchObject({ params: { _meta: related('job-1') } });
    for (const id of ['job-1', `${mine}A`]) expect((await claim(id)).told).toBe('handle-unknown');
    expect((await claim(mine, { principal: principal('bob') })).told).toBe('handle-unknown');
  });
});

describe('a task of the client’s', () => {
  const sampling = (id: string, params: object = {}) =>
    frameOf(
      {
        jsonrpc: '2.0',
        id,
        method: 'sampling/createMessage',
        params: { messages: [], maxTokens: 1, task: { ttl: 1 }, ...params },
      },
      'toClient',
    );
  const serverAsks = (method: string, params: object, id: string) =>
    frameOf({ jsonrpc: '2.0', id, method, params }, 'toClient');

  /** Has a server ask, and the client answer with a task; what the server then holds. */
  async function given(id: string, shape: ExchangeShape = {}): Promise<string> {
    const { exchange } = await go(call('tools/call', { name: 'job', arguments: {} }), shape);
    await back(exchange, sampling(`q-${id}`));
    const answer = frameOf({
      jsonrpc: '2.0',
      id: `q-${id}`,
      result: { task: { taskId: id, status: 'working' } },
    });
    const { sent, told } = await go(answer, shape);
    if (sent?.kind !== 'result') throw new Error(told);
    return (sent.result['task'] as { taskId: string }).taskId;
  }

  test('is known to the server that it is for, and to no other', async () => {
    const held = await given('c-1');
    expect(held).toMatch(/^[\w-]{22}\.c-1$/);
    const { exchange } = await go(call('tools/call', { name: 'job', arguments: {} }));
    const elsewhere = await go(call('tools/call', { name: 'job', arguments: {} }), { upstream: 'other' });
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const question = serverAsks(method, { taskId: held }, method);
      expect((await back(exchange, question)).got).toMatchObject({ params: { taskId: 'c-1' } });
      expect((await back(elsewhere.exchange, question)).told).toBe('handle-unknown');
      for (const taskId of ['c-1', 'c-2', `${held}x`, held.slice(1), '', '.c-1']) {
        const guess = serverAsks(method, { taskId }, method);
        expect([taskId, (await back(exchange, guess)).told]).toEqual([taskId, 'handle-unknown']);
      }
    }
  });

  test('keeps its name in answers, in lists and in what the client tells of it', async () => {
    const held = await given('c-1');
    await given('c-2', { upstream: 'other' });
    const { exchange } = await go(call('tools/call', { name: 'job', arguments: {} }));
    await back(exchange, serverAsks('tasks/get', { taskId: held }, 'g'));
    const got = await go(frameOf({ jsonrpc: '2.0', id: 'g', result: { taskId: 'c-1', status: 'working' } }));
    expect(got.sent).toMatchObject({ result: { taskId: held } });
    await back(exchange, serverAsks('tasks/list', {}, 'l'));
    const tasks = [{ taskId: 'c-1' }, { taskId: 'c-2' }, { taskId: 'c-3' }, null];
    const listed = await go(frameOf({ jsonrpc: '2.0', id: 'l', result: { tasks } }));
    expect(listed.sent).toMatchObject({ result: { tasks: [{ taskId: held }] } });
    const told = await go(note('notifications/tasks/status', { taskId: 'c-1', status: 'completed' }));
    expect(told.sent).toMatchObject({ params: { taskId: held } });
    for (const taskId of ['c-2', 'c-3', held]) {
      const foreign = await go(note('notifications/tasks/status', { taskId, status: 'completed' }));
      expect(foreign.told).toBe('drop task-unknown');
    }
  });

  test('is not one where the server had not offered it', async () => {
    const { exchange } = await go(call('tools/call', { name: 'job', arguments: {} }));
    await back(exchange, sampling('q', { task: undefined }));
    const { told } = await go(frameOf({ jsonrpc: '2.0', id: 'q', result: { task: { taskId: 'c-1' } } }));
    expect(told).toBe('answer-unexpected');
  });
});
