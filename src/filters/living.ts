interface Entry<Value> {
  readonly owner: string;
  readonly value: Value;
  usedAt: number;
}

/**
 * What belongs to somebody and is forgotten once it has not been used for a while. In the order of last use, so that
 * looking for what has to go looks at nothing else. Bounded by who adds: it holds exactly what was added.
 */
export class Living<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  /** Keys of each owner, in the order of last use. */
  readonly #owned = new Map<string, Set<string>>();
  readonly #idleMs: number;
  readonly #gone: (owner: string, value: Value) => void;

  /** @param gone told of each entry that leaves, whatever it leaves for */
  constructor(idleMs: number, gone: (owner: string, value: Value) => void = () => undefined) {
    this.#idleMs = idleMs;
    this.#gone = gone;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  countOf(owner: string): number {
    return this.#owned.get(owner)?.size ?? 0;
  }

  add(owner: string, key: string, value: Value, now: number): void {
    this.delete(key);
    this.#entries.set(key, { owner, value, usedAt: now });
    const own = this.#owned.get(owner);
    if (own === undefined) this.#owned.set(owner, new Set([key]));
    else own.add(key);
  }

  /** @returns false where there is no such entry */
  touch(key: string, now: number): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    entry.usedAt = now;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const own = this.#owned.get(entry.owner)!;
    own.delete(key);
    own.add(key);
    return true;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const own = this.#owned.get(entry.owner)!;
    own.delete(key);
    if (own.size === 0) this.#owned.delete(entry.owner);
    this.#gone(entry.owner, entry.value);
  }

  /** Forgets what was not used for as long as may be. */
  purge(now: number): void {
    for (const [key, { usedAt }] of this.#entries) {
      if (now - usedAt < this.#idleMs) return;
      this.delete(key);
    }
  }

  /** Milliseconds until the entry of an owner, or of anybody, that was used longest ago is forgotten, if nobody uses it. */
  roomIn(owner: string | undefined, now: number): number {
    const keys = owner === undefined ? this.#entries.keys() : (this.#owned.get(owner) ?? []).values();
    for (const key of keys) return Math.max(0, this.#entries.get(key)!.usedAt + this.#idleMs - now);
    return this.#idleMs;
  }
}
