import type { Exchange } from '../pipeline/exchange.ts';
import type { KnownTask } from './outstanding.ts';

/** Tasks that are remembered: a minute of calls at 150 per second. Beyond, the owner that was silent longest loses one. */
const mostTasks = 10_000;
/** Of one owner, so that no caller makes another's be forgotten while it has many itself. Beyond, its oldest. */
const mostPerOwner = 1_000;

/**
 * Which tasks a principal began on an upstream. The handle that a client brings says all of a task by itself; this is
 * for messages that name a task by the server's id alone. What is forgotten is not listed and not notified of any more,
 * and can still be asked for.
 */
export interface TaskBook {
  learn(task: KnownTask, exchange: Exchange): void;
  find(upstreamId: unknown, exchange: Exchange): KnownTask | undefined;
  findHandle(handle: unknown, exchange: Exchange): KnownTask | undefined;
  readonly size: number;
}

interface OwnTasks {
  readonly byId: Map<string, KnownTask>;
  readonly byHandle: Map<string, KnownTask>;
}

export function createTaskBook(limits: { readonly all?: number; readonly perOwner?: number } = {}): TaskBook {
  const { all = mostTasks, perOwner = mostPerOwner } = limits;
  /** In the order in which owners last began or read a task. */
  const owners = new Map<string, OwnTasks>();
  let size = 0;

  const forgetOldest = (key: string, { byId, byHandle }: OwnTasks): void => {
    for (const { upstreamId, handle } of byId.values()) {
      byId.delete(upstreamId);
      byHandle.delete(handle);
      size -= 1;
      break;
    }
    if (byId.size === 0) owners.delete(key);
  };

  return {
    learn(task, exchange) {
      const key = ownerOf(exchange);
      const own: OwnTasks = owners.get(key) ?? { byId: new Map(), byHandle: new Map() };
      owners.delete(key);
      owners.set(key, own);
      const before = own.byId.get(task.upstreamId);
      if (before === undefined) size += 1;
      else {
        own.byId.delete(before.upstreamId);
        own.byHandle.delete(before.handle);
      }
      own.byId.set(task.upstreamId, task);
      own.byHandle.set(task.handle, task);
      if (own.byId.size > perOwner) forgetOldest(key, own);
      for (const [oldest, tasks] of owners) {
        if (size <= all) break;
        forgetOldest(oldest, tasks);
        break;
      }
    },
    find: (upstreamId, exchange) =>
      typeof upstreamId === 'string' ? owners.get(ownerOf(exchange))?.byId.get(upstreamId) : undefined,
    findHandle: (handle, exchange) =>
      typeof handle === 'string' ? owners.get(ownerOf(exchange))?.byHandle.get(handle) : undefined,
    get size() {
      return size;
    },
  };
}

/** Whose handles they are, and on which upstream they mean anything. */
export function ownerOf({ principal, upstream }: Exchange): string {
  return JSON.stringify([principal.id, upstream]);
}
