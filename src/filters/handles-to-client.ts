import { GatewayError } from '../errors.ts';
import type { NotificationFrame } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type HandleKit, questionScope } from './handle-kit.ts';
import { nameForClient } from './handles-to-upstream.ts';
import { maySee } from './may-see.ts';
import type { Asked, KnownTask } from './outstanding.ts';
import { withRelatedTask } from './related-task.ts';
import { ownerOf } from './task-book.ts';

/** What a foreign, expired, altered or invented handle is answered with: the same for all of them. */
export function handleFault(): GatewayError {
  return new GatewayError('handle-unknown');
}

/** A server's answer, with the client's words for what the server calls by its own ids. */
export function answerForClient(
  result: JsonObject,
  asked: Asked,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | GatewayError {
  const { row, opened } = asked;
  const toName = (id: string): string | undefined =>
    opened?.tasks.find(({ upstreamId }) => upstreamId === id)?.handle ?? nameForClient(id, exchange, kit);
  let answer = withRelatedTask(result, toName).carrier;
  const next = row.pages === true ? own(answer, 'nextCursor') : undefined;
  if (next !== undefined) {
    const page = opened?.pageOf;
    const sealed =
      typeof next === 'string' && page !== undefined
        ? kit.cursors.seal(next, page, opened?.listedNow ?? 0)
        : undefined;
    if (sealed === undefined) return invalid('a cursor that cannot be relayed');
    answer = { ...answer, nextCursor: sealed };
  }
  switch (row.task) {
    case 'makes':
      return madeTask(answer, asked, exchange, kit);
    case 'names':
      return namedTask(answer, asked, exchange, kit, toName);
    case 'lists':
      return ownTasks(answer, exchange, kit);
    default:
      return answer;
  }
}

/** 2025-11-25 puts a new task into a member, the extension of 2026-07-28 into the result itself. */
function madeTask(
  result: JsonObject,
  asked: Asked,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | GatewayError {
  const member = own(result, 'task');
  const isWhole = own(result, 'resultType') === 'task';
  const carrier = isWhole ? result : isJsonObject(member) ? member : undefined;
  if (carrier === undefined) return result;
  const upstreamId = own(carrier, 'taskId');
  if (typeof upstreamId !== 'string' || asked.target === undefined) return invalid('a task without an id');
  // The same task told twice keeps its name.
  const known = kit.book.find(upstreamId, exchange);
  const task =
    known !== undefined && isOpen(known, exchange, kit)
      ? known
      : kit.tasks.seal(upstreamId, asked.target, exchange);
  if (task === undefined) return invalid('a task id that cannot be relayed');
  if (task.tool !== asked.target) return invalid('the id of a task that another tool began');
  kit.book.learn(task, exchange);
  const named = { ...carrier, taskId: task.handle };
  return isWhole ? withQuestions(named, task, exchange, kit) : { ...result, task: named };
}

function namedTask(
  result: JsonObject,
  asked: Asked,
  exchange: Exchange,
  kit: HandleKit,
  toName: (id: string) => string | undefined,
): JsonObject | GatewayError {
  // The tool's own result: what it calls a task id is content.
  if (asked.row.taskResult === 'whole') return result;
  const [task] = asked.opened?.tasks ?? [];
  const upstreamId = own(result, 'taskId');
  if (upstreamId === undefined) return result;
  if (task === undefined || upstreamId !== task.upstreamId)
    return invalid('the answer is about another task');
  const named = { ...result, taskId: task.handle };
  const embedded = own(named, 'result');
  const whole = isJsonObject(embedded)
    ? { ...named, result: withRelatedTask(embedded, toName).carrier }
    : named;
  return withQuestions(whole, task, exchange, kit);
}

/**
 * Only what is known to be the caller's. A server sees one client, the gateway, wherever it has one credential for all
 * callers: its list is then everybody's, and whose an entry is stands nowhere in it.
 */
function ownTasks(result: JsonObject, exchange: Exchange, kit: HandleKit): JsonObject | GatewayError {
  const listed = own(result, 'tasks');
  if (!Array.isArray(listed)) return invalid('no list of tasks');
  const tasks = (listed as readonly JsonValue[]).flatMap((entry) => {
    if (!isJsonObject(entry)) return [];
    const task = knownTask(own(entry, 'taskId'), exchange, kit);
    return task === undefined || !isOpen(task, exchange, kit) ? [] : [{ ...entry, taskId: task.handle }];
  });
  return { ...result, tasks };
}

/** What is remembered may have expired. */
function isOpen({ handle }: KnownTask, exchange: Exchange, kit: HandleKit): boolean {
  return kit.tasks.open(handle, exchange) !== undefined;
}

function withQuestions(carrier: JsonObject, task: KnownTask, exchange: Exchange, kit: HandleKit): JsonObject {
  const questions = own(carrier, 'inputRequests');
  if (!isJsonObject(questions)) return carrier;
  const scope = questionScope(ownerOf(exchange), task.upstreamId);
  return { ...carrier, inputRequests: kit.questions.toClient(questions, scope) };
}

/** A server's notification about a task that the caller may hear of. */
export function noticeForClient(
  frame: NotificationFrame,
  exchange: Exchange,
  kit: HandleKit,
): JsonObject | undefined | 'unknown' {
  const { params } = frame;
  if (params === undefined) return params;
  const toName = (id: string): string | undefined => nameForClient(id, exchange, kit);
  const { carrier } = withRelatedTask(params, toName);
  const row = methodRow(frame.method, exchange.revision, 'toClient', 'notification');
  if (row?.task === 'names') {
    const task = knownTask(own(carrier, 'taskId'), exchange, kit);
    if (task === undefined) return 'unknown';
    const embedded = own(carrier, 'result');
    const named = { ...carrier, taskId: task.handle };
    const whole = isJsonObject(embedded)
      ? { ...named, result: withRelatedTask(embedded, toName).carrier }
      : named;
    return withQuestions(whole, task, exchange, kit);
  }
  // An acknowledgement names the tasks that will be told of.
  const filter = own(carrier, 'notifications');
  const taskIds = isJsonObject(filter) ? own(filter, 'taskIds') : undefined;
  if (!isJsonObject(filter) || !Array.isArray(taskIds)) return carrier;
  const named = (taskIds as readonly JsonValue[]).flatMap((id) => knownTask(id, exchange, kit)?.handle ?? []);
  return { ...carrier, notifications: { ...filter, taskIds: named } };
}

function knownTask(id: JsonValue | undefined, exchange: Exchange, kit: HandleKit): KnownTask | undefined {
  const listened = kit.outstanding.of(exchange)?.opened?.tasks.find(({ upstreamId }) => upstreamId === id);
  const task = listened ?? kit.book.find(id, exchange);
  if (task === undefined) return undefined;
  return maySee({ kind: 'tool', name: task.tool, action: 'call' }, exchange) ? task : undefined;
}

function invalid(cause: string): GatewayError {
  return new GatewayError('upstream-invalid', { cause });
}
