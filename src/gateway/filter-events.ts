import type { FilterEvent } from '../filters/deps.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** A line a minute for each limit: calls that find no room mostly are a flood, and the log must not become one. */
const quietMs = 60_000;

/** More limits than a policy has. Beyond it, those that were told of longest ago are told of again. */
const mostRemembered = 1000;

export interface FilterEventDeps {
  readonly metrics: Pick<Metrics, 'boundReached' | 'limitEvent'>;
  readonly log: Pick<Log, 'warn'>;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

/** Counts what checks report and no client is told, and logs what an operator must act on. */
export function createFilterReport({
  metrics,
  log,
  monotonic,
}: FilterEventDeps): (event: FilterEvent) => void {
  const told = new Map<string, { readonly at: number; more: number }>();

  function tellOfFull(limit: string): void {
    const now = monotonic();
    const last = told.get(limit);
    if (last !== undefined && now - last.at < quietMs) {
      last.more += 1;
      return;
    }
    told.delete(limit);
    if (told.size >= mostRemembered) told.delete(told.keys().next().value!);
    told.set(limit, { at: now, more: 0 });
    // Calls that were refused for it since the line before, this one among them.
    log.warn('a limit has no room for more keys', { limit, calls: (last?.more ?? 0) + 1 });
  }

  return (event) => {
    if (event.kind === 'bound') {
      metrics.boundReached(event);
      return;
    }
    metrics.limitEvent(event);
    if (event.kind === 'limit-store-full') tellOfFull(event.limit);
  };
}
