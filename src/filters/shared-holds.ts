import type { HoldScope } from '../flows/hold-book.ts';
import type { SharedState } from '../state/contract.ts';

/** To whom any process of this gateway returned untrusted content, and when. */
export interface SharedHolds {
  /**
   * Untrusted content is about to reach these scopes.
   *
   * @param keepMs how long anything must be remembered, milliseconds: the longest hold of any rule
   * @returns false where it could not be told to the others: what is untrusted must then not be returned
   */
  record(scopes: readonly HoldScope[], keepMs: number): Promise<boolean>;
  /**
   * How long ago that last was, in milliseconds, for each scope; undefined where it never was. `unknown` where nobody can
   * be asked.
   */
  ages(scopes: readonly HoldScope[], keepMs: number): Promise<readonly (number | undefined | 'unknown')[]>;
}

/** Sessions and traces of one principal that are told apart. A caller opens as many as it likes. */
const mostWithin = 64;

/** Told to the others once in this time, as of its end: a stream of many messages is one telling a second. */
const restMs = 1000;

/** Scopes that were told not long ago, of all principals. Beyond them telling is repeated. */
const mostTold = 10_000;

/**
 * @param now milliseconds since the epoch: those of processes on different machines compare, as far as their clocks agree
 * @param monotonic milliseconds
 */
export function createSharedHolds(
  state: SharedState,
  clocks: { now(): number; monotonic(): number },
): SharedHolds {
  /** When each key was told. In the order of their telling. */
  const told = new Map<string, number>();
  /** Sessions and traces of each principal that were told, and since when they are counted. */
  const counted = new Map<string, { since: number; readonly within: Set<string> }>();

  const whole = (principal: string): string => JSON.stringify(['principal', principal]);
  const everywhere = (principal: string): string => JSON.stringify(['everywhere', principal]);
  const part = (principal: string, within: string): string => JSON.stringify(['within', principal, within]);

  /** Beyond its bound, all sessions and traces of a principal are as one: held back more, never less. */
  function keyWithin(principal: string, within: string, keepMs: number): string {
    const time = clocks.monotonic();
    let own = counted.get(principal);
    if (own === undefined || time - own.since > keepMs) {
      counted.delete(principal);
      own = { since: time, within: new Set() };
      counted.set(principal, own);
      if (counted.size > mostTold) forgetFirst(counted);
    }
    if (!own.within.has(within) && own.within.size >= mostWithin) return everywhere(principal);
    own.within.add(within);
    return part(principal, within);
  }

  async function tell(key: string, keepMs: number): Promise<boolean> {
    const time = clocks.monotonic();
    const before = told.get(key);
    if (before !== undefined && time - before < restMs) return true;
    const kept = await state.put('hold', key, String(clocks.now() + restMs), keepMs + restMs);
    if (!kept) return false;
    told.delete(key);
    told.set(key, time);
    if (told.size > mostTold) forgetFirst(told);
    return true;
  }

  /** The age of what stands under a key. Nothing is older than `keepMs`: what seems so was written by another clock. */
  async function ageOf(key: string, keepMs: number): Promise<number | undefined | 'unknown'> {
    const found = await state.look('hold', key, keepMs);
    if (found === 'lost') return 'unknown';
    if (found.value === undefined) return undefined;
    const age = clocks.now() - Number(found.value);
    return age >= 0 && age <= keepMs + restMs ? age : 0;
  }

  return {
    async record(scopes, keepMs) {
      const keys = new Set<string>();
      for (const { principal, within } of scopes) {
        keys.add(whole(principal));
        if (within !== undefined) keys.add(keyWithin(principal, within, keepMs));
      }
      const kept = await Promise.all([...keys].map((key) => tell(key, keepMs)));
      return kept.every(Boolean);
    },
    ages: (scopes, keepMs) =>
      Promise.all(
        scopes.map(async ({ principal, within }) => {
          const keys =
            within === undefined ? [whole(principal)] : [part(principal, within), everywhere(principal)];
          const ages = await Promise.all(keys.map((key) => ageOf(key, keepMs)));
          if (ages.includes('unknown')) return 'unknown';
          const known = ages.filter((age) => typeof age === 'number');
          return known.length === 0 ? undefined : Math.min(...known);
        }),
      ),
  };
}

function forgetFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
