/** 64KiB of each answer are free: nearly all answers are smaller, and must pass while others are gigantic. */
export const freeBytes = 64 * 1024;

/**
 * Bytes of answers that all upstreams together may have in memory: bodies until their exchange is over, and events that
 * are not whole yet or wait for their reader. Without it each call may take the largest result, and there are many calls.
 */
export class HeldBytes {
  readonly #most: number;
  readonly #full: () => void;
  #held = 0;

  /** @param full told of each time that there was no room */
  constructor(most: number, full: () => void = () => undefined) {
    this.#most = most;
    this.#full = full;
  }

  get held(): number {
    return this.#held;
  }

  /** What one answer holds. Begins with nothing. */
  open(): Holding {
    let counted = 0;
    return {
      hold: (bytes) => {
        const next = Math.max(0, bytes - freeBytes);
        const more = next - counted;
        if (more > 0 && this.#held + more > this.#most) {
          this.#full();
          return false;
        }
        this.#held += more;
        counted = next;
        return true;
      },
    };
  }
}

export interface Holding {
  /** @returns false where there is no room for so many; what was held before is then still held */
  hold(bytes: number): boolean;
}

/** Of an answer that nobody counts. */
export const uncounted: Holding = Object.freeze({ hold: () => true });
