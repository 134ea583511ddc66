import { beforeEach, describe, expect, it } from 'vitest';
import { createOutstanding, type Outstanding } from '../../src/filters/outstanding.ts';
import { recall } from '../../src/filters/recall.ts';
import { createSharedQuestions } from '../../src/filters/shared-questions.ts';
import { type SharedRequests, shareRequests } from '../../src/filters/shared-requests.ts';
import { shareTasks } from '../../src/filters/shared-tasks.ts';
import { createTaskBook } from '../../src/filters/task-book.ts';
import type { RequestId } from '../../src/mcp/frame.ts';
import { methodRow } from '../../src/mcp/methods.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import type { SharedState } from '../../src/state/contract.ts';
import { createMemoryState } from '../../src/state/memory.ts';
import { frameOf, makeExchange, note, principal, resultOf } from './support.ts';

let now = 0;
let state: SharedState;

beforeEach(() => {
  now = 0;
  // As the primary of several workers, or a Redis, keeps it.
  state = { ...createMemoryState(() => now), shared: true };
});

/** Nobody can be asked. */
const lost: SharedState = {
  shared: true,
  once: () => 'full',
  put: () => false,
  get: () => undefined,
  look: () => 'lost',
  take: () => undefined,
  forget: () => undefined,
  close: () => undefined,
};

const question = { method: 'elicitation/create', progressToken: 'p', mayBeTask: false } as const;

describe('questions that several processes put', () => {
  it('are answered once, however many take the answer at the same moment', async () => {
    const processes = Array.from({ length: 4 }, () => createSharedQuestions(state, 1000));
    expect(await processes[0]!.asked('scope', 1, question)).toBe(true);
    expect(await processes[3]!.find('scope', 1)).toEqual(question);
    const taken = await Promise.all(processes.map((one) => one.take('scope', 1, question)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await processes[1]!.find('scope', 1)).toBeUndefined();
    expect(await processes[1]!.hasProgressToken('scope', 'p')).toBe(false);
  });

  it('are known by no other scope, and no id means another', async () => {
    const one = createSharedQuestions(state, 1000);
    await one.asked('scope', 1, question);
    for (const [scope, id] of [
      ['other', 1],
      ['scope', '1'],
      ['', 1],
      ['scope","1', 1],
      ['["asked","scope","n1"]', 1],
    ] as const satisfies readonly (readonly [string, RequestId])[]) {
      expect(await one.find(scope, id)).toBeUndefined();
      expect(await one.take(scope, id, { ...question, progressToken: undefined })).toBe(false);
    }
    expect(await one.hasProgressToken('other', 'p')).toBe(false);
    expect(await one.find('scope', 1)).toEqual(question);
  });

  it('wait no longer than they may', async () => {
    const one = createSharedQuestions(state, 1000);
    await one.asked('scope', 1, question);
    now = 1000;
    expect(await one.find('scope', 1)).toBeUndefined();
    expect(await one.take('scope', 1, question)).toBe(false);
  });

  it('are not put, and answered by nobody, where nobody can be asked', async () => {
    const one = createSharedQuestions(lost, 1000);
    expect(await one.asked('scope', 1, question)).toBe(false);
    expect(await one.take('scope', 1, question)).toBe(false);
    expect(await one.takeElicitation('owner', 'e')).toBe(false);
  });

  it('end once where they are at an URL, told to their owner alone', async () => {
    const [one, two] = [createSharedQuestions(state, 1000), createSharedQuestions(state, 1000)];
    one.elicited('owner', 'e');
    expect(await two.takeElicitation('other', 'e')).toBe(false);
    const taken = await Promise.all([one.takeElicitation('owner', 'e'), two.takeElicitation('owner', 'e')]);
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});

const row = methodRow('tools/call', '2025-11-25', 'toUpstream', 'request')!;

function processOf(shared: SharedState = state): { own: Outstanding; requests: SharedRequests } {
  const own = createOutstanding({ requests: 100, requestsPerSession: 10, lateAnswers: 1000 }, () => now);
  return { own, requests: shareRequests(own, shared, 1000) };
}

function inSession(key: string, who = 'alice'): Exchange {
  const exchange = makeExchange({ principal: principal(who) });
  exchange.facts.session = { key, upstreamId: 'theirs', revision: '2025-11-25' };
  return exchange;
}

function ask({ requests }: { requests: SharedRequests }, exchange: Exchange, clientId: RequestId): number {
  const asked = requests.outstanding.ask(exchange, { clientId, row, target: 'echo', progressToken: 'p' });
  if (typeof asked === 'string') throw new Error(asked);
  requests.outstanding.note(exchange, {
    cursor: undefined,
    pageOf: undefined,
    tasks: [],
    listed: 0,
    listedNow: 0,
  });
  return asked.gatewayId;
}

describe('requests that several processes sent', () => {
  it('are cancelled, followed and answered over another process, in their session', async () => {
    const [one, two] = [processOf(), processOf()];
    const gatewayId = ask(one, inSession('s'), 7);
    expect(await two.requests.idOf('s', 7)).toBe(gatewayId);
    expect(await two.requests.hasProgressToken('s', 'p')).toBe(true);
    const later = inSession('s');
    expect(two.own.find(gatewayId, later)).toBeUndefined();
    await two.requests.recall(gatewayId, later);
    expect(two.own.find(gatewayId, later)).toMatchObject({ clientId: 7, target: 'echo', row });
    two.requests.outstanding.answered(two.own.find(gatewayId, later)!);
    expect(await one.requests.idOf('s', 7)).toBeUndefined();
  });

  it('are nothing to another session: nobody cancels, follows or hears what is not theirs', async () => {
    const [one, two] = [processOf(), processOf()];
    const gatewayId = ask(one, inSession('s'), 7);
    for (const other of ['', 't', 's"', 's","7', '["s"]']) {
      expect(await two.requests.idOf(other, 7)).toBeUndefined();
      expect(await two.requests.hasProgressToken(other, 'p')).toBe(false);
      const exchange = inSession(other, 'mallory');
      await two.requests.recall(gatewayId, exchange);
      expect(two.own.find(gatewayId, exchange)).toBeUndefined();
    }
    expect(await two.requests.idOf('s', '7')).toBeUndefined();
    // Outside of a session nothing is told, and nothing recalled.
    await two.requests.recall(gatewayId, makeExchange());
    expect(two.own.size).toBe(0);
  });

  it('are not recalled by what is no id of the gateway', async () => {
    const two = processOf();
    for (const id of [undefined, '1', 'x', -1, Number.NaN]) await two.requests.recall(id, inSession('s'));
    expect(two.own.size).toBe(0);
  });

  it('are known no longer than they may be, and not at all where nobody can be told', async () => {
    const one = processOf();
    ask(one, inSession('s'), 7);
    now = 1000;
    expect(await processOf().requests.idOf('s', 7)).toBeUndefined();
    const alone = processOf(lost);
    const exchange = inSession('s');
    const gatewayId = ask(alone, exchange, 7);
    expect(alone.own.find(gatewayId, exchange)).toBeDefined();
    expect(await alone.requests.idOf('s', 7)).toBeUndefined();
  });
});

describe('tasks that several processes know', () => {
  const task = { upstreamId: 'up-1', handle: 'sealed', tool: 'job' };

  it('are recalled for their owner on their upstream, and for nobody else', async () => {
    const [one, two] = [shareTasks(createTaskBook(), state, 1000), shareTasks(createTaskBook(), state, 1000)];
    const alice = makeExchange();
    one.book.learn(task, alice);
    for (const other of [
      makeExchange({ principal: principal('bob') }),
      makeExchange({ upstream: 'other' }),
      makeExchange({ principal: principal('alice","warehouse') }),
    ]) {
      await two.recall(['up-1'], other);
      expect(two.book.find('up-1', other)).toBeUndefined();
    }
    await two.recall(['up-1', 'unknown', '__proto__'], alice);
    expect(two.book.find('up-1', alice)).toEqual(task);
    expect(two.book.findHandle('sealed', alice)).toEqual(task);
    expect(two.book.size).toBe(1);
  });

  it('are told once, and end', async () => {
    let puts = 0;
    const counting: SharedState = {
      ...state,
      put(...given) {
        puts += 1;
        return state.put(...given);
      },
    };
    const one = shareTasks(createTaskBook(), counting, 1000);
    const alice = makeExchange();
    for (let again = 0; again < 5; again += 1) one.book.learn(task, alice);
    expect(puts).toBe(1);
    now = 1000;
    const two = shareTasks(createTaskBook(), state, 1000);
    await two.recall(['up-1'], alice);
    expect(two.book.size).toBe(0);
  });
});

describe('recalling', () => {
  function filterOf() {
    const { own, requests } = processOf();
    const tasks = shareTasks(createTaskBook(), state, 1000);
    return { own, tasks, filter: recall({ outstanding: own, requests, book: tasks.book, tasks }) };
  }

  it('finds the tasks that a message names, wherever it names them', async () => {
    const elsewhere = shareTasks(createTaskBook(), state, 1000);
    const alice = makeExchange();
    const related = { _meta: { 'io.modelcontextprotocol/related-task': { taskId: 't' } } };
    elsewhere.book.learn({ upstreamId: 't', handle: 'sealed', tool: 'job' }, alice);
    const messages = [
      resultOf(1, { taskId: 't', status: 'working' }),
      resultOf(1, { task: { taskId: 't' } }),
      resultOf(1, { tasks: [{ taskId: 'other' }, { taskId: 't' }, 'odd', null] }),
      resultOf(1, related),
      note('notifications/tasks/status', { taskId: 't' }, 'toClient'),
      note('notifications/message', related, 'toClient'),
      frameOf({ jsonrpc: '2.0', id: 5, method: 'elicitation/create', params: related }, 'toClient'),
    ];
    for (const frame of messages) {
      const { filter, tasks } = filterOf();
      expect((await filter.toClient!(frame, alice)).kind).toBe('pass');
      expect(tasks.book.find('t', alice)).toMatchObject({ handle: 'sealed' });
      expect(tasks.book.size).toBe(1);
    }
  });

  it('asks nobody for what it knows, nor where nothing is named', () => {
    const { own, filter, tasks } = filterOf();
    const alice = inSession('s');
    const asked = own.ask(alice, { clientId: 1, row, target: 'echo', progressToken: undefined });
    if (typeof asked === 'string') throw new Error(asked);
    tasks.book.learn({ upstreamId: 't', handle: 'sealed', tool: 'job' }, alice);
    // Not a promise: the message goes on at once.
    expect(filter.toClient!(resultOf(asked.gatewayId, { taskId: 't' }), alice)).toMatchObject({
      kind: 'pass',
    });
    expect(filter.toClient!(note('notifications/message', {}, 'toClient'), alice)).toMatchObject({
      kind: 'pass',
    });
  });

  it('asks for a thousand tasks of one message, and no more', async () => {
    let asked = 0;
    const counting: SharedState = {
      ...state,
      get(...given) {
        asked += 1;
        return state.get(...given);
      },
    };
    const tasks = shareTasks(createTaskBook(), counting, 1000);
    const { own, requests } = processOf();
    const filter = recall({ outstanding: own, requests, book: tasks.book, tasks });
    const listed = Array.from({ length: 3000 }, (_, index) => ({ taskId: `t${index}` }));
    await filter.toClient!(resultOf(1, { tasks: listed }), makeExchange());
    expect(asked).toBe(1000);
  });

  it('lets a message pass where nobody can be asked: what judges it does not know it', async () => {
    const { own, requests } = processOf(lost);
    const tasks = shareTasks(createTaskBook(), lost, 1000);
    const filter = recall({ outstanding: own, requests, book: tasks.book, tasks });
    expect((await filter.toClient!(resultOf(9, { taskId: 't' }), inSession('s'))).kind).toBe('pass');
    expect([own.size, tasks.book.size]).toEqual([0, 0]);
  });
});
