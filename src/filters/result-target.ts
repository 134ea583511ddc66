import type { Frame } from '../mcp/frame.ts';
import { methodRow, resourceName, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { own } from '../values/json.ts';
import type { Asked } from './outstanding.ts';
import type { TaskBook } from './task-book.ts';

/** What a message that comes back is about, for the rules on results. */
export interface ResultTarget {
  readonly kind: 'tool' | 'resource' | 'prompt' | 'method';
  readonly name: string;
}

/**
 * Stands where no call can be told: what a server says on a stream of its own, or the result of a task that is not
 * known. Rules for every tool (`*`) apply to it, or a server could choose the way on which it is not guarded.
 */
const anyTool: ResultTarget = Object.freeze({ kind: 'tool', name: '?' });

/** What an answer is about: what was asked for, or began the task that was asked for. */
export function targetOfAnswer({ row, target, opened }: Asked, exchange: Exchange): ResultTarget {
  if (row.access === 'implied') return { kind: 'method', name: row.method };
  const [task] = opened?.tasks ?? [];
  if (row.task === 'names' && task !== undefined) return { kind: 'tool', name: task.tool };
  if (row.access === 'method') return anyTool;
  for (const source of row.targets) {
    if ((source === 'tool' || source === 'prompt') && target !== undefined) {
      return { kind: source, name: target };
    }
    if (source === 'resource' && target !== undefined) {
      const name = resourceName(target);
      return name.ok ? { kind: 'resource', name: name.value } : anyTool;
    }
  }
  return targetOfCall(exchange);
}

/**
 * What something is about that a server says on its own in the course of an exchange. Tasks have the client's names by
 * now.
 */
export function targetOfMessage(
  frame: Frame,
  exchange: Exchange,
  tasks: Pick<TaskBook, 'findHandle'>,
): ResultTarget {
  const taskId = 'params' in frame && frame.params !== undefined ? own(frame.params, 'taskId') : undefined;
  const task = taskId === undefined ? undefined : tasks.findHandle(taskId, exchange);
  return task === undefined ? targetOfCall(exchange) : { kind: 'tool', name: task.tool };
}

/** The target of the client's frame that policy decided on. */
function targetOfCall(exchange: Exchange): ResultTarget {
  const { request, revision } = exchange;
  if (request.kind !== 'request' && request.kind !== 'notification') return anyTool;
  const row = methodRow(request.method, revision, 'toUpstream', request.kind);
  const targets = row === undefined ? undefined : targetsOf(row, request.params);
  const target = targets?.ok ? targets.value.find(({ kind }) => kind !== 'method') : undefined;
  return target === undefined ? anyTool : { kind: target.kind, name: target.name };
}
