/** The TAT of each key of each limit, in memory. */
export interface RateStore {
  get(key: string): number | undefined;
  /** Whether these keys are known or could be made room for. */
  hasRoom(keys: readonly string[], nowUs: number): boolean;
  set(key: string, tat: number): void;
  readonly size: number;
}

/** How long a search for expendable keys that found none is trusted, so that a full store costs no scan per call. */
const searchPauseUs = 100_000;

/**
 * A store of at most `maximum` keys.
 *
 * A key whose TAT has passed is worth exactly as much as no key, so those go first when room is needed. Where none is
 * expendable a new key has no room: forgetting a key that still counts would hand its holder a fresh burst.
 */
export function createRateStore(maximum: number): RateStore {
  const tats = new Map<string, number>();
  let nextSearchUs = Number.NEGATIVE_INFINITY;
  const search = (nowUs: number): void => {
    if (nowUs < nextSearchUs) return;
    for (const [key, tat] of tats) if (tat <= nowUs) tats.delete(key);
    nextSearchUs = nowUs + searchPauseUs;
  };
  return {
    get: (key) => tats.get(key),
    hasRoom(keys, nowUs) {
      let fresh = 0;
      for (const key of keys) if (!tats.has(key)) fresh += 1;
      if (tats.size + fresh <= maximum) return true;
      search(nowUs);
      // Counted again: the search may have forgotten one of these very keys.
      fresh = 0;
      for (const key of keys) if (!tats.has(key)) fresh += 1;
      return tats.size + fresh <= maximum;
    },
    set(key, tat) {
      tats.set(key, tat);
    },
    get size() {
      return tats.size;
    },
  };
}
