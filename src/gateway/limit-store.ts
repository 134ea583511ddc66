import type { Config } from '../config/schema.ts';
import type { LimitStore, StoreEvent } from '../limits/contract.ts';
import { createMemoryStore } from '../limits/memory-store.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** Makes whoever counts for the limits of all policies, as the gateway file says. Its caller closes it. */
export function createLimitStore(
  config: Config,
  deps: { readonly log: Log; readonly metrics: Metrics },
): LimitStore {
  return createMemoryStore(config.limits.memory, (event) => reportStoreEvent(event, deps));
}

/** Counts what a store tells and no client hears, and logs what an operator must act on. */
export function reportStoreEvent(
  event: StoreEvent,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): void {
  metrics.limitStoreEvent(event);
  switch (event.kind) {
    case 'store-lost':
      log.error('the store of limits is lost', { cause: event.cause });
      return;
    case 'store-back':
      log.info('the store of limits is back', { lostMs: event.lostMs });
      return;
    case 'full':
    case 'decided-without-store':
      // Counted: one line for each call would fill the log when the calls are a flood.
      return;
  }
}
