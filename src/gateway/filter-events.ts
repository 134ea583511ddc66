import type { FilterEvent } from '../filters/deps.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** Counts what a check reports and no client is told, and logs what an operator must act on. */
export function reportFilterEvent(event: FilterEvent, metrics: Metrics, log: Log): void {
  if (event.kind === 'limit-store-full')
    log.warn('a limit has no room for more keys', { limit: event.limit });
  if (event.kind === 'bound') metrics.boundReached(event);
  else metrics.limitEvent(event);
}
