/** 1 h, because whoever made a call within it is at work. As long as a connection lives by default, too. */
const lastsMs = 3_600_000;
/** 1 min: an address that calls a thousand times a second is noted once. */
const noteAgainMs = 60_000;
/** 65536, because each costs some 150 bytes. */
const mostAddresses = 65_536;

/**
 * Addresses from which known callers came lately: they count apart from strangers. When the list is full, the one that was
 * noted longest ago is forgotten, and is a stranger until its next call. Times are monotonic milliseconds.
 */
export class KnownAddresses {
  readonly #most: number;
  /** Noted longest ago first. */
  readonly #notedAt = new Map<string, number>();

  constructor(most: number = mostAddresses) {
    this.#most = most;
  }

  get size(): number {
    return this.#notedAt.size;
  }

  /** A caller proved who it is, from this address. */
  note(key: string, now: number): void {
    const last = this.#notedAt.get(key);
    if (last !== undefined && now - last < noteAgainMs) return;
    this.#notedAt.delete(key);
    this.#notedAt.set(key, now);
    // Two for each, so that the list shrinks to those that matter without anybody ever walking all of it.
    let looks = 2;
    for (const [oldest, at] of this.#notedAt) {
      if (looks === 0) break;
      looks -= 1;
      if (now - at >= lastsMs || this.#notedAt.size > this.#most) this.#notedAt.delete(oldest);
    }
  }

  has(key: string, now: number): boolean {
    const at = this.#notedAt.get(key);
    return at !== undefined && now - at < lastsMs;
  }
}
