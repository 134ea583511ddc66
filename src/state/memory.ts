import type { SharedState, StateSpace } from './contract.ts';

export interface MemoryStateBounds {
  /** Keys that each space may hold. */
  readonly entries: number;
  /** UTF-16 units of keys and values that each space may hold. */
  readonly units: number;
}

/**
 * 100,000 keys and 16 MiB in each space: what the proofs of ten minutes need at some 160 a second, and little enough
 * that four full spaces stay below a fifth of a small container.
 */
export const defaultMemoryStateBounds: MemoryStateBounds = { entries: 100_000, units: 8_388_608 };

/** How long a search for what has ended is trusted that found the space full, so that a full space costs no scan per call. */
const searchPauseMs = 100;

interface Entry {
  readonly value: string;
  readonly until: number;
}

/**
 * State that ends with this process. Each space has bounds of its own, so that none is filled by the users of another.
 *
 * What lives is never driven out: a key that was forgotten before its time could be used again. A full space says so.
 *
 * @param monotonic milliseconds that only go forward
 */
export function createMemoryState(
  monotonic: () => number,
  bounds: MemoryStateBounds = defaultMemoryStateBounds,
): SharedState & { readonly size: number } {
  const spaces = new Map<StateSpace, Space>();
  const spaceOf = (name: StateSpace): Space => {
    let space = spaces.get(name);
    if (space === undefined) {
      space = new Space(bounds);
      spaces.set(name, space);
    }
    return space;
  };
  return {
    shared: false,
    once(space, key, ttlMs) {
      const now = monotonic();
      const own = spaceOf(space);
      if (own.get(key, now) !== undefined) return 'known';
      return own.set(key, { value: '', until: now + ttlMs }, now) ? 'new' : 'full';
    },
    put(space, key, value, ttlMs) {
      const now = monotonic();
      return spaceOf(space).set(key, { value, until: now + ttlMs }, now);
    },
    get(space, key) {
      return spaceOf(space).get(key, monotonic());
    },
    look: (space, key) => ({ value: spaceOf(space).get(key, monotonic()) }),
    take(space, key) {
      const own = spaceOf(space);
      const value = own.get(key, monotonic());
      own.delete(key);
      return value;
    },
    forget(space, key) {
      spaceOf(space).delete(key);
    },
    get size() {
      let size = 0;
      for (const space of spaces.values()) size += space.size;
      return size;
    },
    close() {
      spaces.clear();
    },
  };
}

class Space {
  readonly #bounds: MemoryStateBounds;
  readonly #entries = new Map<string, Entry>();
  #units = 0;
  #nextSearch = Number.NEGATIVE_INFINITY;

  constructor(bounds: MemoryStateBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: number): string | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.until <= now ? undefined : entry.value;
  }

  /** @returns false where there is no room; then an earlier value of the key stays */
  set(key: string, entry: Entry, now: number): boolean {
    const units = key.length + entry.value.length;
    if (!this.#hasRoom(key, units)) {
      this.#forgetEnded(now);
      if (!this.#hasRoom(key, units)) return false;
    }
    this.delete(key);
    this.#entries.set(key, entry);
    this.#units += units;
    return true;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#units -= key.length + entry.value.length;
  }

  #hasRoom(key: string, units: number): boolean {
    const present = this.#entries.get(key);
    const entries = this.#entries.size + (present === undefined ? 1 : 0);
    const held = this.#units + units - (present === undefined ? 0 : key.length + present.value.length);
    return entries <= this.#bounds.entries && held <= this.#bounds.units;
  }

  #forgetEnded(now: number): void {
    if (now < this.#nextSearch) return;
    for (const [key, { until }] of this.#entries) if (until <= now) this.delete(key);
    this.#nextSearch = now + searchPauseMs;
  }
}
