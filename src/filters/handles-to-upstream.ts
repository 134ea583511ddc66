import { GatewayError } from '../errors.ts';
import type { NotificationFrame, RequestFrame, ResultFrame } from '../mcp/frame.ts';
import { type MethodRow, methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type OpenedCursor, pageOf } from './cursor-handles.ts';
import { type HandleKit, questionScope } from './handle-kit.ts';
import { maySee } from './may-see.ts';
import type { KnownTask, OpenedHandles } from './outstanding.ts';
import { withRelatedTask } from './related-task.ts';
import { ownerOf } from './task-book.ts';

export interface OpenedRequest {
  readonly params: JsonObject | undefined;
  readonly handles: OpenedHandles;
}

/** Opens every handle in a client's request; undefined where one of them does not open. */
export function openRequest(
  params: JsonObject | undefined,
  row: MethodRow,
  exchange: Exchange,
  kit: HandleKit,
): OpenedRequest | undefined {
  const changed: Record<string, JsonValue> = {};
  const page = row.pages === true ? pageOf(row, params, exchange) : undefined;
  const nothing: OpenedHandles = { cursor: undefined, pageOf: page, tasks: [], listed: 0, listedNow: 0 };
  if (params === undefined) return { params, handles: nothing };

  let opened: OpenedCursor | undefined;
  const givenCursor = page === undefined ? undefined : own(params, 'cursor');
  if (page !== undefined && givenCursor !== undefined) {
    opened = typeof givenCursor === 'string' ? kit.cursors.open(givenCursor, page) : undefined;
    if (opened === undefined) return undefined;
    changed['cursor'] = opened.cursor;
  }

  const tasks: KnownTask[] = [];
  if (row.task === 'names') {
    const task = openTask(own(params, 'taskId'), exchange, kit);
    if (task === undefined) return undefined;
    tasks.push(task);
    changed['taskId'] = task.upstreamId;
    if (row.answersTask === true) {
      const answers = answersOf(params, task, exchange, kit);
      if (answers === undefined) return undefined;
      changed['inputResponses'] = answers;
    }
  }
  const filter = row.targets.includes('tasks') ? own(params, 'notifications') : undefined;
  const taskIds = isJsonObject(filter) ? own(filter, 'taskIds') : undefined;
  if (isJsonObject(filter) && Array.isArray(taskIds)) {
    for (const given of taskIds as readonly JsonValue[]) {
      const task = openTask(given, exchange, kit);
      if (task === undefined) return undefined;
      tasks.push(task);
    }
    changed['notifications'] = { ...filter, taskIds: tasks.map(({ upstreamId }) => upstreamId) };
  }

  const related = withRelatedTask(params, (id) => openTask(id, exchange, kit)?.upstreamId);
  if (!related.isKnown) return undefined;
  const isSame = related.carrier === params && Object.keys(changed).length === 0;
  return {
    params: isSame ? params : { ...related.carrier, ...changed },
    handles: { cursor: opened?.cursor, pageOf: page, tasks, listed: opened?.listed ?? 0, listedNow: 0 },
  };
}

/** A task is its caller's for as long as the tool that began it is one that the caller may see. */
function openTask(handle: JsonValue | undefined, exchange: Exchange, kit: HandleKit): KnownTask | undefined {
  const task = typeof handle === 'string' ? kit.tasks.open(handle, exchange) : undefined;
  if (task === undefined || !maySee({ kind: 'tool', name: task.tool, action: 'call' }, exchange))
    return undefined;
  kit.book.learn(task, exchange);
  return task;
}

function answersOf(
  params: JsonObject,
  task: KnownTask,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | undefined {
  const answers = own(params, 'inputResponses');
  if (answers === undefined) return {};
  if (!isJsonObject(answers)) return undefined;
  return kit.questions.toUpstream(answers, questionScope(ownerOf(exchange), task.upstreamId));
}

/** A client's notification about a task: its own (2025-11-25), or as what it belongs to. */
export function noticeForUpstream(
  frame: NotificationFrame,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | undefined | 'unknown' {
  const { params } = frame;
  if (params === undefined) return params;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'notification');
  const related = withRelatedTask(params, (id) => nameForUpstream(id, exchange, kit));
  if (!related.isKnown) return 'unknown';
  if (row?.task !== 'names') return related.carrier;
  const taskId = kit.clientTasks.given(own(params, 'taskId'), exchange);
  return taskId === undefined ? 'unknown' : { ...related.carrier, taskId };
}

/** A client's answer to a question: tasks in it are the client's own. */
export function answerForUpstream(
  frame: ResultFrame,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | GatewayError {
  const answered = exchange.facts.answered;
  const method = answered?.method;
  const row = method === undefined ? undefined : methodRow(method, exchange.revision, 'toClient', 'request');
  // What belongs to a task that this side does not know belongs to none: the answer itself was asked for.
  const { carrier } = withRelatedTask(frame.result, (id) => nameForUpstream(id, exchange, kit));
  const give = (id: JsonValue | undefined): string | undefined =>
    typeof id === 'string' ? kit.clientTasks.give(id, exchange) : undefined;
  const task = own(carrier, 'task');
  if (answered?.mayBeTask === true && isJsonObject(task)) {
    const taskId = give(own(task, 'taskId'));
    return taskId === undefined ? misfit() : { ...carrier, task: { ...task, taskId } };
  }
  if (row?.task === 'names' && own(carrier, 'taskId') !== undefined) {
    const taskId = give(own(carrier, 'taskId'));
    return taskId === undefined ? misfit() : { ...carrier, taskId };
  }
  const listed = row?.task === 'lists' ? own(carrier, 'tasks') : undefined;
  if (!Array.isArray(listed)) return carrier;
  // A client may hold tasks for other servers too: they are none of this one's business.
  const tasks = (listed as readonly JsonValue[]).flatMap((entry) => {
    if (!isJsonObject(entry)) return [];
    const taskId = kit.clientTasks.given(own(entry, 'taskId'), exchange);
    return taskId === undefined ? [] : [{ ...entry, taskId }];
  });
  return { ...carrier, tasks };
}

function misfit(): GatewayError {
  return new GatewayError('answer-unexpected', { cause: 'a task without an id that can be relayed' });
}

/** A server's question about a task of the client's, or one that belongs to a task. */
export function questionForClient(
  frame: RequestFrame,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | undefined | 'unknown' {
  const { params } = frame;
  if (params === undefined) return params;
  const row = methodRow(frame.method, exchange.revision, 'toClient', 'request');
  const { carrier } = withRelatedTask(params, (id) => nameForClient(id, exchange, kit));
  if (row?.task !== 'names') return carrier;
  const taskId = kit.clientTasks.open(own(params, 'taskId'), exchange);
  return taskId === undefined ? 'unknown' : { ...carrier, taskId };
}

function nameForUpstream(id: string, exchange: Exchange, kit: HandleKit): string | undefined {
  return kit.tasks.open(id, exchange)?.upstreamId ?? kit.clientTasks.given(id, exchange);
}

/** The client's word for a task that a server's message belongs to. */
export function nameForClient(id: string, exchange: Exchange, kit: HandleKit): string | undefined {
  const asked = kit.outstanding.of(exchange)?.opened?.tasks.find(({ upstreamId }) => upstreamId === id);
  return asked?.handle ?? kit.book.find(id, exchange)?.handle ?? kit.clientTasks.open(id, exchange);
}
