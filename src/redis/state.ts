import { StoreFault } from '../limits/store-fault.ts';
import type { Looked, Once, SharedState, StateSpace } from '../state/contract.ts';
import { strangeValue } from './fault.ts';
import type { StoreKeys } from './keys.ts';
import type { RedisLink } from './link.ts';
import { createScript } from './scripts.ts';
import { within } from './within.ts';

export interface RedisStateDependencies {
  readonly link: Pick<RedisLink, 'send' | 'onUp'>;
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

/** 30 days: a memory that nobody asked for so long has forgotten everything anyway. */
const markMs = 30 * 86_400_000;

/**
 * Since when this memory reaches back, in milliseconds of the server's clock, kept as its last key. A server that was
 * emptied, or restarted with nothing, has no such mark, or a later one: what it does not know may have been there before.
 */
const sinceScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = KEYS[#KEYS]
local since = tonumber(string.match(redis.call('GET', mark) or '', '^%d+$'))
if since and since <= now then
  redis.call('PEXPIRE', mark, ${markMs})
else
  since = now
  redis.call('SET', mark, string.format('%.0f', now), 'PX', ${markMs})
end
`;

const onceAnswers = ['known', 'new', 'forgotten'] as const;

/** Known under any key of the ring: known. Else it is added under the newest. */
const onceScript = `
${sinceScript}
for i = 1, #KEYS - 1 do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
if now - since < tonumber(ARGV[2]) then return 2 end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
`;

/** Kept under the newest key, and no longer under older ones: in one step, so that nobody who reads finds nothing. */
const putScript = `
${sinceScript}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for i = 2, #KEYS - 1 do redis.call('DEL', KEYS[i]) end
return string.format('%.0f', since)
`;

/**
 * `out`: values as they stand, of a bounded length: whoever else writes to the store must not fill the memory of the
 * gateway. `then` is done to each key in the same step.
 */
const reading = (then: 'GET' | 'GETDEL', last: string): string => `
for i = 1, ${last} do
  if redis.call('STRLEN', KEYS[i]) > ${longestSealed} then return redis.error_reply('${strangeValue} that is too long') end
end
local out = {}
for i = 1, ${last} do out[i] = redis.call('${then}', KEYS[i]) end
`;

const getScript = `${reading('GET', '#KEYS')} return out`;
const takeScript = `${reading('GETDEL', '#KEYS')} return out`;
/** Since when the memory reaches back, how long that is, and the values. Numbers as text, because they are compared here. */
const lookScript = `
${sinceScript}
${reading('GET', '#KEYS - 1')}
return {string.format('%.0f', since), string.format('%.0f', now - since), out}
`;

/**
 * State in a Redis that all replicas share. Names are MACed and values sealed; every entry ends with its time to live.
 *
 * While the store is lost nothing is new and nothing is known, so that callers refuse: what was used elsewhere must not
 * be used again here.
 */
export function createRedisState(deps: RedisStateDependencies): SharedState {
  const { link, keys } = deps;
  const adding = createScript(onceScript, link);
  const putting = createScript(putScript, link);
  const getting = createScript(getScript, link);
  const taking = createScript(takeScript, link);
  const looking = createScript(lookScript, link);
  /** The same whatever the session keys are: it tells nothing. */
  const mark = `${keys.tag}:state-since`;
  /** What the mark said when this process saw it first. Another one says that the memory was emptied since then. */
  let firstSince: unknown;
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

  const lookUp = async (space: StateSpace, key: string, keptMs: number): Promise<Looked> => {
    const answer = await looking.run([...keys.keysOf(kind(space), key), mark], []);
    const [since, age, found] = answer as [unknown, unknown, unknown];
    firstSince ??= since;
    const value = firstOpened(space, key, found);
    return value === undefined && since !== firstSince && Number(age) < keptMs ? 'lost' : { value };
  };
  // Marked at each connection, before anything is asked over it: a store that is emptied later has another mark, also
  // where it came up after this process, which asked it nothing until then.
  const ignore = link.onUp(() => void lookUp('dpop', '', 0).catch(() => undefined));

  return {
    shared: true,
    once: (space, key, ttlMs, agoMs = 0) =>
      ask<Once>(async () => {
        const answer = await adding.run(
          [...keys.keysOf(kind(space), key), mark],
          [ttl(ttlMs), String(Math.ceil(agoMs))],
        );
        return onceAnswers[Number(answer)] ?? 'full';
      }, 'full'),
    put(space, key, value, ttlMs) {
      if (value.length > longestValue) return false;
      const sealed = keys.seal(nameOf(space, key), value);
      return ask(async () => {
        const since = await putting.run([...keys.keysOf(kind(space), key), mark], [sealed, ttl(ttlMs)]);
        firstSince ??= since;
        return true;
      }, false);
    },
    get: (space, key) =>
      ask(
        async () => firstOpened(space, key, await getting.run(keys.keysOf(kind(space), key), [])),
        undefined,
      ),
    look: (space, key, keptMs = 0) => ask<Looked>(() => lookUp(space, key, keptMs), 'lost'),
    take: (space, key) =>
      ask(
        async () => firstOpened(space, key, await taking.run(keys.keysOf(kind(space), key), [])),
        undefined,
      ),
    forget(space, key) {
      // Where this is lost the entry ends with its time to live.
      void ask(() => link.send(['DEL', ...keys.keysOf(kind(space), key)]), undefined);
    },
    close: ignore,
  };
}

function nameOf(space: string, key: string): string {
  return `${space}\n${key}`;
}
