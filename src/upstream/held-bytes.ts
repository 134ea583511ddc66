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

  /** What one answer holds, of an upstream that is alone. Begins with nothing. */
  open(): Holding {
    return this.share(false).open();
  }

  /**
   * What one upstream may hold.
   *
   * @param leavesRoom it takes no more than what it leaves to others, so that one with gigantic answers cannot have all there
   *   is: the first half of it, another one then half of the rest. A single answer may take what is free, or small settings
   *   would refuse answers that nobody competes with
   */
  share(leavesRoom: boolean): HeldShare {
    let own = 0;
    return {
      open: () => {
        let counted = 0;
        return {
          hold: (bytes) => {
            const next = Math.max(0, bytes - freeBytes);
            const more = next - counted;
            const left = this.#most - this.#held - more;
            const isAlone = own === counted;
            if (more > 0 && (left < 0 || (leavesRoom && !isAlone && own + more > left))) {
              this.#full();
              return false;
            }
            this.#held += more;
            own += more;
            counted = next;
            return true;
          },
        };
      },
    };
  }
}

/** What the answers of one upstream hold together. */
export interface HeldShare {
  /** What one answer holds. Begins with nothing. */
  open(): Holding;
}

export interface Holding {
  /** @returns false where there is no room for so many; what was held before is then still held */
  hold(bytes: number): boolean;
}

/** Of an answer that nobody counts. */
export const uncounted: Holding = Object.freeze({ hold: () => true });
