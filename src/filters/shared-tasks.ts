import type { Exchange } from '../pipeline/exchange.ts';
import type { SharedState } from '../state/contract.ts';
import { ownerOf, type TaskBook } from './task-book.ts';

/** The tasks that clients of any process of this gateway began. */
export interface SharedTasks {
  /** The same book, which tells the other processes what it learns. */
  readonly book: TaskBook;
  /** Puts what other processes know of these tasks into this one's book. */
  recall(upstreamIds: readonly string[], exchange: Exchange): Promise<void>;
}

/** @param keepMs milliseconds that the handle of a task opens */
export function shareTasks(inner: TaskBook, state: SharedState, keepMs: number): SharedTasks {
  const keyOf = (upstreamId: string, exchange: Exchange): string =>
    JSON.stringify(['task', ownerOf(exchange), upstreamId]);
  return {
    book: {
      learn(task, exchange) {
        const known = inner.find(task.upstreamId, exchange);
        inner.learn(task, exchange);
        if (known?.handle === task.handle) return;
        const { handle, tool } = task;
        // Nobody waits: a task that is not told of elsewhere is missing in lists there, and can still be asked for.
        void state.put('task', keyOf(task.upstreamId, exchange), JSON.stringify([handle, tool]), keepMs);
      },
      find: (upstreamId, exchange) => inner.find(upstreamId, exchange),
      findHandle: (handle, exchange) => inner.findHandle(handle, exchange),
      get size() {
        return inner.size;
      },
    },
    async recall(upstreamIds, exchange) {
      const unknown = upstreamIds.filter((id) => inner.find(id, exchange) === undefined);
      await Promise.all(
        unknown.map(async (upstreamId) => {
          const text = await state.get('task', keyOf(upstreamId, exchange));
          if (text === undefined) return;
          const [handle, tool] = JSON.parse(text) as [string, string];
          inner.learn({ upstreamId, handle, tool }, exchange);
        }),
      );
    },
  };
}
