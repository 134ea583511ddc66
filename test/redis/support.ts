import { type Claim, type Measure, type OnStoreLoss, unit } from '../../src/limits/contract.ts';
import { gcraRate } from '../../src/limits/gcra.ts';
import type { SharedCounts } from '../../src/limits/store-loss.ts';
import { createStoreKeys } from '../../src/redis/keys.ts';
import { createRedisLimitStore } from '../../src/redis/limit-store.ts';
import { createRedisLink, type RedisLink } from '../../src/redis/link.ts';
import { type RedisOptions, redisOptions } from '../../src/redis/options.ts';
import type { TestRedis } from '../support/redis.ts';

export const ring: readonly Buffer[] = [Buffer.alloc(32, 7)];

export function rateClaim(name: string, perSecond: number, burst: number, more: Partial<Claim> = {}): Claim {
  return claim(name, gcraRate(perSecond, 1000, burst), more);
}

export function claim(name: string, measure: Measure, more: Partial<Claim> = {}): Claim {
  const onStoreLoss: OnStoreLoss = 'local';
  return {
    limit: name,
    key: JSON.stringify([name]),
    measure,
    amount: unit,
    enforced: true,
    onStoreLoss,
    ...more,
  };
}

export interface TestStore {
  readonly link: RedisLink;
  readonly counts: SharedCounts;
  readonly trouble: readonly unknown[];
  close(): Promise<void>;
}

/** Both ends of the wire, without what decides when the store is lost. */
export async function openStore(
  options: { readonly url?: string } & Record<string, unknown>,
  more: {
    readonly clock?: string;
    readonly nowUs?: () => number;
    readonly patienceMs?: number;
    readonly onEviction?: (policy: string) => void;
  } = {},
): Promise<TestStore> {
  const parsed: RedisOptions = redisOptions.parse({ replicas: 2, ...options });
  const trouble: unknown[] = [];
  const monotonic = (): number => performance.now();
  const link = createRedisLink(parsed, {
    monotonic,
    onTrouble: (cause) => trouble.push(cause),
    ...(more.onEviction === undefined ? {} : { onEviction: more.onEviction }),
  });
  const counts = createRedisLimitStore(parsed, {
    link,
    keys: createStoreKeys(ring, parsed.prefix),
    nowUs: more.nowUs ?? (() => Math.floor(monotonic() * 1000)),
    ...(more.clock === undefined ? {} : { clock: more.clock }),
  });
  await link.untilUp(more.patienceMs ?? 10_000);
  return {
    link,
    counts,
    trouble,
    async close() {
      await counts.close();
      await link.close();
    },
  };
}

/** A clock that a test sets: the script then reads a key in place of the server's own clock. */
export const heldClock = "{redis.call('GET', 'test:seconds'), redis.call('GET', 'test:micros')}";

export async function setClock(link: Pick<RedisLink, 'send'>, micros: number): Promise<void> {
  await link.send([
    'MSET',
    'test:seconds',
    String(Math.floor(micros / 1_000_000)),
    'test:micros',
    String(micros % 1_000_000),
  ]);
}

export async function forgetAll(redis: TestRedis): Promise<void> {
  await redis.cli('FLUSHALL');
}
