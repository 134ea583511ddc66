import type { Config } from '../config/schema.ts';
import type { StoreEvent } from '../limits/contract.ts';
import { createMemoryStore } from '../limits/memory-store.ts';
import { createStoreLoss, type GuardedStore, type Timers } from '../limits/store-loss.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { redisSecrets } from '../redis/session.ts';
import { createRedisStore } from '../redis/store.ts';
import type { SharedState } from '../state/contract.ts';
import { reportStoreEvent } from './limit-store.ts';

/** What replicas share, where the gateway file names a Redis. */
export interface SharedStore {
  readonly limits: GuardedStore;
  readonly state: SharedState;
  close(): Promise<void>;
}

export interface SharedStoreDependencies {
  /** Session keys, the newest first. */
  readonly keys: readonly Buffer[];
  /** Processes of this gateway. */
  readonly workers: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The store answered after so many milliseconds. */
  answered(milliseconds: number): void;
}

/** 2 s for the first connection: then the gateway serves without it, and its limits say what that means. */
const patienceMs = 2000;
/** 30 s between two lines about the same trouble: a store that is gone for an hour fills no log. */
const quietMs = 30_000;

/** @returns undefined where limits are counted in this process */
export async function openSharedStore(
  config: Config,
  { keys, workers, log, metrics, answered }: SharedStoreDependencies,
): Promise<SharedStore | undefined> {
  const options = config.store.redis;
  if (options === undefined) return undefined;
  const replicas = options.replicas * workers;
  const monotonic = (): number => performance.now();
  const sometimes = (message: string): ((cause: unknown) => void) => {
    let saidAt = Number.NEGATIVE_INFINITY;
    return (cause) => {
      if (monotonic() - saidAt < quietMs) return;
      saidAt = monotonic();
      log.warn(message, { cause });
    };
  };
  let evicting: string | undefined;
  const store = createRedisStore(
    { ...options, replicas },
    {
      keys,
      monotonic,
      onTrouble: sometimes('the store has no connection'),
      onEviction(policy) {
        if (policy === evicting) return;
        evicting = policy;
        log.warn('the store forgets keys when its memory is full: counts would begin anew', { policy });
      },
    },
  );
  const report = (event: StoreEvent): void => reportStoreEvent(event, { log, metrics });
  const limits = createStoreLoss(
    { timeout: options.timeout, replicas },
    {
      shared: store.counts,
      local: createMemoryStore(config.limits.memory, report),
      monotonic,
      timers,
      report,
      onStrangeKey: sometimes('a key of the store holds what the gateway did not write'),
      onAnswer: answered,
    },
  );
  await store.untilUp(patienceMs);
  return {
    limits,
    state: store.state(() => limits.isUp, sometimes('the store does not answer for shared state')),
    async close() {
      await limits.close();
      await store.close();
    },
  };
}

/** Texts of the gateway file that must appear in no record and no answer. */
export function storeSecrets(config: Config): readonly string[] {
  return config.store.redis === undefined ? [] : redisSecrets(config.store.redis);
}

const timers: Timers = {
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
  onceRead: (run) => void setImmediate(run),
};
