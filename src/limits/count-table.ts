/** Counts by key, at most so many of them. */
export interface CountTable<Count> {
  get(key: string): Count | undefined;
  set(key: string, count: Count): void;
  /** Whether these keys are known or could be made room for. Forgets counts that are worth nothing, and no others. */
  hasRoom(keys: readonly string[]): boolean;
  readonly size: number;
}

/** Counts that one call on a full table looks at. 1000, because that many cost less than a tenth of a millisecond. */
const lookedAtWhenFull = 1000;

/** Counts that each new key looks at, so that a table shrinks after a flood without anybody waiting for it. */
const lookedAtOtherwise = 2;

/**
 * A table of at most `maximum` keys.
 *
 * A count that is worth nothing is as good as none, so those go first when room is needed. Where none is found a new key
 * has no room: forgetting one that still counts would hand its holder a fresh burst. Each call looks at a bounded number,
 * from where the last one stopped: no single call pays for a large table.
 *
 * @param isWorthless whether forgetting a count now changes no answer
 */
export function createCountTable<Count>(
  maximum: number,
  isWorthless: (count: Count) => boolean,
): CountTable<Count> {
  const counts = new Map<string, Count>();
  let cursor = counts.entries();
  const sweep = (most: number): void => {
    for (let looked = 0; looked < Math.min(most, counts.size); looked += 1) {
      let next = cursor.next();
      if (next.done === true) {
        cursor = counts.entries();
        next = cursor.next();
        if (next.done === true) return;
      }
      const [key, count] = next.value;
      if (isWorthless(count)) counts.delete(key);
    }
  };
  const fits = (keys: readonly string[]): boolean => {
    let fresh = 0;
    for (const key of keys) if (!counts.has(key)) fresh += 1;
    return counts.size + fresh <= maximum;
  };
  return {
    get: (key) => counts.get(key),
    set(key, count) {
      if (!counts.has(key)) sweep(lookedAtOtherwise);
      counts.set(key, count);
    },
    hasRoom(keys) {
      if (fits(keys)) return true;
      sweep(lookedAtWhenFull);
      // Counted again: the sweep may have forgotten one of these very keys.
      return fits(keys);
    },
    get size() {
      return counts.size;
    },
  };
}
