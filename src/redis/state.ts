import { StoreFault } from '../limits/store-fault.ts';
import type { Looked, Once, SharedState, StateSpace } from '../state/contract.ts';
import { strangeValue } from './fault.ts';
import type { StoreKeys } from './keys.ts';
import type { RedisLink } from './link.ts';
import { createScript } from './scripts.ts';
import { within } from './within.ts';

export interface RedisStateDependencies {
  readonly link: Pick<RedisLink, 'send'>;
  readonly keys: StoreKeys;
  /** Milliseconds that a question may take. */
  readonly timeout: number;
  /** False while the store is known to be lost: then nobody waits for it. */
  readonly isUp: () => boolean;
  /** The store gave no answer that counts. For operators. */
  readonly onFault: (cause: unknown) => void;
}

/** 64 KiB: what is kept here are ids and small records. */
const longestValue = 65_536;

/** Bytes of the longest of them in UTF-8, sealed, as base64url, and a little more. */
const longestSealed = longestValue * 4 + 64;

/** Known under any key of the ring: known. Else it is added under the newest. */
const onceScript = `
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
`;

/**
 * Values as they stand, of a bounded length: whoever else writes to the store must not fill the memory of the gateway.
 * `then` is done to each key in the same step.
 */
const readScript = (then: string): string => `
for i = 1, #KEYS do
  if redis.call('STRLEN', KEYS[i]) > ${longestSealed} then return redis.error_reply('${strangeValue} that is too long') end
end
local out = {}
for i = 1, #KEYS do out[i] = redis.call('${then}', KEYS[i]) end
return out
`;

/**
 * State in a Redis that all replicas share. Names are MACed and values sealed; every entry ends with its time to live.
 *
 * While the store is lost nothing is new and nothing is known, so that callers refuse: what was used elsewhere must not
 * be used again here.
 */
export function createRedisState(deps: RedisStateDependencies): SharedState {
  const { link, keys } = deps;
  const script = createScript(onceScript, link);
  const getScript = createScript(readScript('GET'), link);
  const takeScript = createScript(readScript('GETDEL'), link);
  const ttl = (ms: number): string => String(Math.max(1, Math.ceil(ms)));
  const kind = (space: string): string => `state-${space}`;

  async function ask<T>(question: () => Promise<T>, otherwise: T): Promise<T> {
    if (!deps.isUp()) return otherwise;
    try {
      return await within(question(), deps.timeout);
    } catch (error) {
      deps.onFault(error);
      return otherwise;
    }
  }
  /** @throws StoreFault where something stands there that no gateway of this ring wrote under this name */
  const firstOpened = (space: string, key: string, found: unknown): string | undefined => {
    let sealed = 0;
    for (const text of Array.isArray(found) ? found : [undefined]) {
      if (text === null) continue;
      sealed += 1;
      const value = typeof text === 'string' ? keys.open(nameOf(space, key), text) : undefined;
      if (value !== undefined) return value;
    }
    // Nothing is known would be a lie: it was there, and somebody put another thing in its place.
    if (sealed > 0) throw new StoreFault('key', 'a key of the store holds what the gateway did not write');
    return undefined;
  };

  const look = (space: StateSpace, key: string): Promise<Looked> =>
    ask<Looked>(async () => {
      const found = await getScript.run(keys.keysOf(kind(space), key), []);
      return { value: firstOpened(space, key, found) };
    }, 'lost');

  return {
    shared: true,
    once: (space, key, ttlMs) =>
      ask<Once>(
        async () => ((await script.run(keys.keysOf(kind(space), key), [ttl(ttlMs)])) === 1 ? 'new' : 'known'),
        'full',
      ),
    put(space, key, value, ttlMs) {
      if (value.length > longestValue) return false;
      const [newest, ...older] = keys.keysOf(kind(space), key);
      const sealed = keys.seal(nameOf(space, key), value);
      return ask(async () => {
        const forgotten = older.length === 0 ? undefined : link.send(['DEL', ...older]);
        await Promise.all([forgotten, link.send(['SET', newest!, sealed, 'PX', ttl(ttlMs)])]);
        return true;
      }, false);
    },
    async get(space, key) {
      const found = await look(space, key);
      return found === 'lost' ? undefined : found.value;
    },
    look,
    take: (space, key) =>
      ask(
        async () => firstOpened(space, key, await takeScript.run(keys.keysOf(kind(space), key), [])),
        undefined,
      ),
    forget(space, key) {
      // Where this is lost the entry ends with its time to live.
      void ask(() => link.send(['DEL', ...keys.keysOf(kind(space), key)]), undefined);
    },
    close() {},
  };
}

function nameOf(space: string, key: string): string {
  return `${space}\n${key}`;
}
