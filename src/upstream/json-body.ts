const smallestStore = 16 * 1024;

/**
 * Collects the pieces of one body up to a limit.
 *
 * A body of one piece is handed on without a copy. Further pieces are copied into one growing store rather than
 * kept in a list: an upstream that sends a body byte by byte would otherwise cost a hundred bytes of memory
 * for each byte that counts against the limit.
 */
export class JsonBody {
  readonly #limit: number;
  #store: Buffer | undefined;
  #length = 0;
  #owned = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a piece. False where the body is then longer than the limit; nothing more may be added. */
  add(piece: Buffer): boolean {
    const length = this.#length + piece.length;
    if (length > this.#limit) {
      return false;
    }
    if (this.#store === undefined) {
      this.#store = piece;
    } else {
      if (!this.#owned || length > this.#store.length) {
        this.#grow(length);
      }
      this.#store.set(piece, this.#length);
    }
    this.#length = length;
    return true;
  }

  /** All pieces together, empty if there were none. */
  take(): Buffer {
    return this.#store === undefined ? Buffer.alloc(0) : this.#store.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const store = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(smallestStore, 2 * length)));
    store.set(this.take());
    this.#store = store;
    this.#owned = true;
  }
}
