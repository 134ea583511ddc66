import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, type Verdict } from '../pipeline/filter.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Outstanding } from './outstanding.ts';
import type { SharedRequests } from './shared-requests.ts';
import type { SharedTasks } from './shared-tasks.ts';
import type { TaskBook } from './task-book.ts';

export interface RecallDeps {
  readonly outstanding: Outstanding;
  readonly requests: SharedRequests;
  readonly book: TaskBook;
  readonly tasks: SharedTasks;
}

/** Of one message. What is beyond is treated as unknown here: it is not listed, and can still be asked for. */
const mostTasks = 1000;

/**
 * First to see what comes back, where several processes serve: what a message answers, and the tasks that it names, may
 * be known to another of them. Puts that into this one's memory, by which all other checks judge.
 */
export function recall({ outstanding, requests, book, tasks }: RecallDeps): Filter {
  return {
    name: 'recall',
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      const answers = frame.kind === 'result' || frame.kind === 'error' ? frame.id : undefined;
      const isForeign =
        answers !== undefined &&
        exchange.facts.session !== undefined &&
        outstanding.find(answers, exchange) === undefined;
      const named = taskIdsIn(frame).filter((id) => book.find(id, exchange) === undefined);
      if (!isForeign && named.length === 0) return pass;
      return Promise.all([
        isForeign ? requests.recall(answers, exchange) : undefined,
        named.length === 0 ? undefined : tasks.recall(named.slice(0, mostTasks), exchange),
      ]).then(() => pass);
    },
  };
}

const relatedTaskKey = 'io.modelcontextprotocol/related-task';

/** Every place in which the table of methods knows a server to name tasks. */
function taskIdsIn(frame: Frame): readonly string[] {
  const carrier = frame.kind === 'result' ? frame.result : 'params' in frame ? frame.params : undefined;
  if (carrier === undefined) return [];
  const found: string[] = [];
  const take = (holder: JsonValue | undefined): void => {
    const id = isJsonObject(holder) ? own(holder, 'taskId') : undefined;
    if (typeof id === 'string') found.push(id);
  };
  take(carrier);
  take(own(carrier, 'task'));
  take(memberOf(carrier, '_meta', relatedTaskKey));
  take(memberOf(carrier, 'result', '_meta', relatedTaskKey));
  const listed = own(carrier, 'tasks');
  if (Array.isArray(listed)) for (const entry of listed as readonly JsonValue[]) take(entry);
  const told = memberOf(carrier, 'notifications', 'taskIds');
  if (Array.isArray(told)) {
    for (const id of told as readonly JsonValue[]) if (typeof id === 'string') found.push(id);
  }
  return found;
}

function memberOf(carrier: JsonObject, ...path: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = carrier;
  for (const key of path) at = isJsonObject(at) ? own(at, key) : undefined;
  return at;
}
