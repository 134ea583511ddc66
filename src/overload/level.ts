/**
 * How much is shed, from 0 to 4. Between two whole numbers the next kind of work is shed in part: at 2.5 all new
 * sessions, all lists and half of the calls of low priority.
 */

/** What is measured since the last time. */
export interface Measures {
  /** How late the event loop was. Milliseconds. */
  readonly delayMs: number;
  /** Requests under way, and those that came since the last time: whether there is work that could be refused at all. */
  readonly demand: number;
  /** Memory in use as a share of what may be used. */
  readonly memoryShare: number;
}

export interface LevelOptions {
  /** Undefined: the delay counts for nothing. Milliseconds. */
  readonly delay: number | undefined;
  /** Share of memory from which on work is refused. Undefined: memory counts for nothing. */
  readonly memory: number | undefined;
}

export const highestLevel = 4;

/**
 * 3.8: the delay alone never refuses all calls. Where a thousand callers wait at once, or others have the processor, the loop
 * is late whatever is refused; a fifth of five times the capacity is the capacity.
 */
const highestByDelay = 3.8;
/** 100 ms: what the last turns of the loop were like, and not what they were like a second ago. */
const smoothingMs = 100;
/** 1 s: a machine that slept for an hour was not overloaded for an hour. */
const longestDelayMs = 1000;
/** 250 ms, as for the delay: after a pause one step is not worth many. */
const longestStepMs = 250;
/** 8: with less to do it is not the callers that hold up the loop, and refusing them helps nobody. */
const leastDemand = 8;
/** Levels a second for each time that the target goes into what is beyond it. */
const risePerSecond = 6;
/** 4 times: a loop that is late by five times its target needs the whole at its next turn. */
const mostBeyond = 4;
/** Levels a second, where it is not late at all. */
const fallPerSecond = 2;
/**
 * Turns measures into a level. The delay of the loop raises it while it is beyond its target and lowers it again below half
 * of that; memory sets a floor.
 *
 * Reads no clock.
 */
export class OverloadLevel {
  readonly #options: LevelOptions;
  #delayMs = 0;
  /** Of the last five turns. */
  #delays: readonly number[] = [0, 0, 0, 0, 0];
  #byDelay = 0;
  #level = 0;

  constructor(options: LevelOptions) {
    this.#options = options;
  }

  /** From 0, where nothing is shed, to 4, where all is but what callers of high priority ask. */
  get level(): number {
    return this.#level;
  }

  /** The delay of the loop, smoothed. Milliseconds. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** @param elapsedMs since the last time */
  update(measures: Measures, elapsedMs: number): void {
    const latest = clamp(measures.delayMs, 0, longestDelayMs);
    this.#delays = [...this.#delays.slice(1), latest];
    // The middle one: a late turn or two are a collection of garbage, a policy that was read, a machine that slept, and
    // what waited meanwhile; a queue makes most of them late.
    const delay = this.#delays.toSorted((one, other) => one - other)[2]!;
    const elapsed = clamp(elapsedMs, 0, longestDelayMs);
    const weight = 1 - Math.exp(-elapsed / smoothingMs);
    this.#delayMs += (delay - this.#delayMs) * weight;
    if (this.#options.delay !== undefined) {
      const step = Math.min(longestStepMs, elapsed) / 1000;
      const change = measures.demand < leastDemand ? -fallPerSecond : this.#pace(this.#options.delay);
      this.#byDelay = clamp(this.#byDelay + change * step, 0, highestByDelay);
    }
    this.#level = Math.max(this.#byDelay, this.#byMemory(measures.memoryShare));
  }

  /** Levels a second. Between half of the target and the target nothing changes, so that it does not swing. */
  #pace(target: number): number {
    const late = this.#delayMs / target;
    if (late > 1) return risePerSecond * Math.min(mostBeyond, late - 1);
    return late < 0.5 ? -fallPerSecond * (1 - 2 * late) : 0;
  }

  #byMemory(share: number): number {
    const from = this.#options.memory;
    return from === undefined ? 0 : rising(share, from, from + ((1 - from) * 2) / 3);
  }
}

/** Half of the bound: what is under way goes up and down by itself. */
const inFlightFrom = 0.5;
/** Nine tenths: the last tenth is for callers of high priority alone. */
const inFlightTo = 0.9;

/** The level that requests under way ask for. @param share of the bound */
export function levelByInFlight(share: number): number {
  return rising(share, inFlightFrom, inFlightTo);
}

/** Twice the target: a burst after silence is work for one long turn, and nobody's overload. */
const turnFrom = 2;
const turnTo = 4;

/**
 * The level that one long turn of the loop asks for before it is over: what comes late in it would wait for all before it.
 *
 * @param spentMs on requests of this turn
 * @param target `overload.delay`, in milliseconds
 */
export function levelByTurn(spentMs: number, target: number): number {
  return Math.min(highestByDelay, rising(spentMs, turnFrom * target, turnTo * target));
}

/** 0 up to `from`, then evenly to the highest level at `to`. */
function rising(share: number, from: number, to: number): number {
  return clamp(((share - from) / (to - from)) * highestLevel, 0, highestLevel);
}

function clamp(value: number, least: number, most: number): number {
  // Written so that what is no number is the least.
  return value > least ? Math.min(value, most) : least;
}
