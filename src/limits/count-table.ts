/** Counts by key, at most so many of them. */
export interface CountTable<Count> {
  get(key: string): Count | undefined;
  /** @param owner whose share a new key takes of; absent: nobody's */
  set(key: string, count: Count, owner?: string): void;
  /**
   * Whether these keys are known or could be made room for, in the table and in the owner's share of it. Forgets counts
   * that are worth nothing, and no others.
   */
  hasRoom(keys: readonly string[], owner?: string): boolean;
  /** Whether so many new keys have room, whoever makes them. */
  hasRoomForAny(keys: number): boolean;
  readonly size: number;
}

/** Counts that one call on a full table looks at. 1000, because that many cost less than a tenth of a millisecond. */
const lookedAtWhenFull = 1000;

/** Counts that each new key looks at, so that a table shrinks after a flood without anybody waiting for it. */
const lookedAtOtherwise = 2;

/** Up to half of the table goes to whoever comes: no honest caller should be refused for want of room that there is. */
const openPart = 1 / 2;

/**
 * From then on nobody gets more who has a tenth. Sessions, tokens and addresses are made by callers: one that made them
 * without end would leave no room for the counts of all others, and they would be refused in its stead.
 */
const share = 1 / 10;

interface Entry<Count> {
  count: Count;
  readonly owner: string | undefined;
}

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
  const entries = new Map<string, Entry<Count>>();
  const owned = new Map<string, number>();
  const openUntil = Math.floor(maximum * openPart);
  const mostOfOne = Math.max(1, Math.floor(maximum * share));
  let cursor = entries.entries();

  const own = (owner: string | undefined, more: 1 | -1): void => {
    if (owner === undefined) return;
    const left = (owned.get(owner) ?? 0) + more;
    if (left === 0) owned.delete(owner);
    else owned.set(owner, left);
  };
  const sweep = (most: number): void => {
    for (let looked = 0; looked < Math.min(most, entries.size); looked += 1) {
      let next = cursor.next();
      if (next.done === true) {
        cursor = entries.entries();
        next = cursor.next();
        if (next.done === true) return;
      }
      const [key, { count, owner }] = next.value;
      if (!isWorthless(count)) continue;
      entries.delete(key);
      own(owner, -1);
    }
  };
  const fits = (fresh: number, owner: string | undefined): boolean => {
    const size = entries.size + fresh;
    if (fresh === 0 || size <= openUntil) return true;
    return size <= maximum && (owner === undefined || (owned.get(owner) ?? 0) + fresh <= mostOfOne);
  };
  const fresh = (keys: readonly string[]): number => {
    let count = 0;
    for (const key of keys) if (!entries.has(key)) count += 1;
    return count;
  };

  return {
    get: (key) => entries.get(key)?.count,
    set(key, count, owner) {
      const known = entries.get(key);
      if (known !== undefined) {
        known.count = count;
        return;
      }
      sweep(lookedAtOtherwise);
      entries.set(key, { count, owner });
      own(owner, 1);
    },
    hasRoom(keys, owner) {
      if (fits(fresh(keys), owner)) return true;
      sweep(lookedAtWhenFull);
      // Counted again: the sweep may have forgotten one of these very keys.
      return fits(fresh(keys), owner);
    },
    hasRoomForAny: (keys) => entries.size + keys <= openUntil,
    get size() {
      return entries.size;
    },
  };
}
