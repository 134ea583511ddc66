/** Who holds which places. Keys without a holder are not remembered. */
export interface Places {
  /** Whether `holder` has a place at this key, or could have one. */
  isFree(key: string, most: number, holder: string): boolean;
  hasRoom(keys: readonly string[]): boolean;
  /** Whether so many new keys have room. */
  hasRoomForAny(keys: number): boolean;
  /** One holder has one place at a key, however often it asks. */
  hold(key: string, holder: string): void;
  /** Nothing happens where the holder has none: what is given back twice is not taken from somebody else. */
  giveBack(key: string, holder: string): void;
  readonly size: number;
}

/** @param maximum keys that are counted at the same time */
export function createPlaces(maximum: number): Places {
  const holders = new Map<string, Set<string>>();
  return {
    isFree(key, most, holder) {
      const held = holders.get(key);
      return held === undefined || held.size < most || held.has(holder);
    },
    hasRoom(keys) {
      let fresh = 0;
      for (const key of keys) if (!holders.has(key)) fresh += 1;
      return holders.size + fresh <= maximum;
    },
    hasRoomForAny: (keys) => holders.size + keys <= maximum,
    hold(key, holder) {
      const held = holders.get(key);
      if (held !== undefined) {
        held.add(holder);
        return;
      }
      const first = new Set<string>();
      first.add(holder);
      holders.set(key, first);
    },
    giveBack(key, holder) {
      const held = holders.get(key);
      if (held?.delete(holder) === true && held.size === 0) holders.delete(key);
    },
    get size() {
      return holders.size;
    },
  };
}
