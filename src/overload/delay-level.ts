/** 100 ms: what the last turns of the loop were like, and not what they were like a second ago. */
const smoothingMs = 100;
/** 1 s: a machine that slept for an hour was not overloaded for an hour. */
const longestDelayMs = 1000;
/** 250 ms, as for the delay: after a pause one step is not worth many. */
const longestStepMs = 250;
/** Levels a second for each time that the target goes into what is beyond it. */
const risePerSecond = 6;
/** 4 times: a loop that is late by five times its target needs the whole at its next turn. */
const mostBeyond = 4;
/** Levels a second, where it is not late at all. */
const fallPerSecond = 2;

/**
 * The level that a delay asks for: it rises while the delay is beyond its target, and falls while it is below half of that.
 *
 * Reads no clock.
 */
export class DelayLevel {
  readonly #target: number;
  readonly #highest: number;
  #delayMs = 0;
  /** Of the last five turns. */
  #delays: readonly number[] = [0, 0, 0, 0, 0];
  #level = 0;

  /**
   * @param target milliseconds; infinite for a delay that is only told
   * @param highest level that the delay may ask for
   */
  constructor(target: number, highest: number) {
    this.#target = target;
    this.#highest = highest;
  }

  get level(): number {
    return this.#level;
  }

  /** What it is now, smoothed. Milliseconds. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /**
   * @param delayMs since the last time
   * @param matters whether there is anything that could be refused
   * @param elapsedMs since the last time
   */
  update(delayMs: number, matters: boolean, elapsedMs: number): void {
    const latest = clamp(delayMs, 0, longestDelayMs);
    this.#delays = [...this.#delays.slice(1), latest];
    // The middle one: a late turn or two are a collection of garbage, a policy that was read, a machine that slept, and
    // what waited meanwhile; a queue makes most of them late.
    const middle = this.#delays.toSorted((one, other) => one - other)[2]!;
    const elapsed = clamp(elapsedMs, 0, longestDelayMs);
    const weight = 1 - Math.exp(-elapsed / smoothingMs);
    this.#delayMs += (middle - this.#delayMs) * weight;
    const step = Math.min(longestStepMs, elapsed) / 1000;
    const change = matters ? this.#pace() : -fallPerSecond;
    this.#level = clamp(this.#level + change * step, 0, this.#highest);
  }

  /** Levels a second. Between half of the target and the target nothing changes, so that it does not swing. */
  #pace(): number {
    const late = this.#delayMs / this.#target;
    if (late > 1) return risePerSecond * Math.min(mostBeyond, late - 1);
    return late < 0.5 ? -fallPerSecond * (1 - 2 * late) : 0;
  }
}

/** Written so that what is no number is the least. */
function clamp(value: number, least: number, most: number): number {
  return value > least ? Math.min(value, most) : least;
}
