import type { Config } from '../config/schema.ts';
import type { LimitStore } from '../limits/contract.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createLimitStore } from './limit-store.ts';
import type { Surroundings } from './surroundings.ts';
import { createWorkerLimitStore } from './worker-limits.ts';

/**
 * Who counts for the limits: the shared store where one is configured, else the primary of several workers, else this
 * process.
 */
export function chooseLimitStore(
  config: Config,
  redis: LimitStore | undefined,
  around: Surroundings | undefined,
  deps: { readonly log: Log; readonly metrics: Metrics },
): LimitStore {
  if (redis !== undefined) return redis;
  return around === undefined ? createLimitStore(config, deps) : createWorkerLimitStore(config, around, deps);
}
