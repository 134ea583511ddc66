import type { Config } from '../config/schema.ts';
import type { LimitStore } from '../limits/contract.ts';
import { createMemoryStore } from '../limits/memory-store.ts';
import { createStoreLoss } from '../limits/store-loss.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createIpcLimitStore } from '../workers/ipc-limit-store.ts';
import { reportStoreEvent } from './limit-store.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * 1 s: the primary does nothing that takes long, but where processes are more than cores it may wait for its turn. A store
 * behind a network is given less, because there silence means more.
 */
const timeoutMs = 1000;

/** How long an answer that comes late is still listened for, to give back what it took. */
const lateMs = 10_000;

/** Counts at the primary. Where it does not answer each limit is decided as when any shared store is lost. */
export function createWorkerLimitStore(
  config: Config,
  around: Surroundings,
  deps: { readonly log: Log; readonly metrics: Metrics },
): LimitStore {
  const report = (event: Parameters<typeof reportStoreEvent>[0]): void => reportStoreEvent(event, deps);
  return createStoreLoss(
    { timeout: timeoutMs, replicas: around.workers },
    {
      shared: createIpcLimitStore({ line: around.line, timeoutMs: lateMs, report }),
      local: createMemoryStore(config.limits.memory, report),
      monotonic: () => performance.now(),
      timers: {
        after(milliseconds, run) {
          const timer = setTimeout(run, milliseconds);
          return () => clearTimeout(timer);
        },
        onceRead: (run) => void setImmediate(run),
      },
      report,
      onStrangeKey: () => undefined,
    },
  );
}
