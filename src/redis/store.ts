import type { SharedCounts } from '../limits/store-loss.ts';
import type { SharedState } from '../state/contract.ts';
import { createStoreKeys } from './keys.ts';
import { createRedisLimitStore } from './limit-store.ts';
import { createRedisLink } from './link.ts';
import type { RedisOptions } from './options.ts';
import { createRedisState } from './state.ts';

/** Both stores over one connection. */
export interface RedisStore {
  readonly counts: SharedCounts;
  /** @param isUp whether the store answers calls: what store-loss.ts knows */
  state(isUp: () => boolean, onFault: (cause: unknown) => void): SharedState;
  /** Waits a moment for the first connection. A gateway starts without one all the same: its limits say what then holds. */
  untilUp(patienceMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface RedisStoreDependencies {
  /** Session keys, the newest first: what names and values in the store are protected by. */
  readonly keys: readonly Buffer[];
  readonly monotonic: () => number;
  /** A connection could not be made or was lost. For operators. */
  readonly onTrouble: (cause: unknown) => void;
  /** The server may forget keys before their time, by this policy of its. For operators. */
  readonly onEviction?: (policy: string) => void;
}

export function createRedisStore(options: RedisOptions, deps: RedisStoreDependencies): RedisStore {
  const link = createRedisLink(options, deps);
  const keys = createStoreKeys(deps.keys, options.prefix);
  const nowUs = (): number => Math.floor(deps.monotonic() * 1000);
  const counts = createRedisLimitStore(options, { link, keys, nowUs });
  return {
    counts,
    state: (isUp, onFault) => createRedisState({ link, keys, timeout: options.timeout, isUp, onFault }),
    untilUp: (patienceMs) => link.untilUp(patienceMs),
    async close() {
      await counts.close();
      await link.close();
    },
  };
}
