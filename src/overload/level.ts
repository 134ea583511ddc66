import { DelayLevel } from './delay-level.ts';

/**
 * How much is shed, from 0 to 4. Between two whole numbers the next kind of work is shed in part: at 2.5 all new
 * sessions, all lists and half of the calls of low priority.
 */

/** How long the first waits, or one that comes now would wait. Milliseconds. */
export interface Waits {
  /** Callers who are known, and not of low priority. */
  readonly callers: number;
  readonly strangers: number;
  /** Callers of low priority. */
  readonly low: number;
}

/** Two levels: strangers who wait are no reason to refuse callers, who do not wait for them. */
export interface Levels {
  readonly callers: number;
  /** Never lower. */
  readonly strangers: number;
}

/** What is measured since the last time. */
export interface Measures {
  /** How late the event loop was. Milliseconds. */
  readonly delayMs: number;
  /** How long the first in line have waited. */
  readonly wait: Waits;
  /** Requests under way, and those that came since the last time: whether there is work that could be refused at all. */
  readonly demand: number;
  /** Memory in use as a share of what may be used. */
  readonly memoryShare: number;
}

export interface LevelOptions {
  /** Undefined: the delay counts for nothing. Milliseconds. */
  readonly delay: number | undefined;
  /** Undefined: waiting counts for nothing. Milliseconds. */
  readonly wait: number | undefined;
  /** Share of memory from which on work is refused. Undefined: memory counts for nothing. */
  readonly memory: number | undefined;
}

export const highestLevel = 4;

/**
 * 3.8: the delay alone never refuses all calls. Where a thousand callers wait at once, or others have the processor, the loop
 * is late whatever is refused; a fifth of five times the capacity is the capacity.
 */
const highestByDelay = 3.8;
/** 3: that calls of low priority wait is no reason to refuse any others, who do not wait for them. */
const highestByLow = 3;
/** 8: with less to do it is not the callers that hold up the loop, and refusing them helps nobody. */
const leastDemand = 8;

/**
 * Turns measures into a level. Delays raise it while they are beyond their target; memory sets a floor.
 *
 * Reads no clock.
 */
export class OverloadLevel {
  readonly #options: LevelOptions;
  readonly #byDelay: DelayLevel;
  readonly #byWait: DelayLevel;
  readonly #byStrangersWait: DelayLevel;
  readonly #byLowWait: DelayLevel;
  #levels: Levels = { callers: 0, strangers: 0 };

  constructor(options: LevelOptions) {
    const { delay = Number.POSITIVE_INFINITY, wait = Number.POSITIVE_INFINITY } = options;
    this.#options = options;
    this.#byDelay = new DelayLevel(delay, highestByDelay);
    this.#byWait = new DelayLevel(wait, highestByDelay);
    this.#byStrangersWait = new DelayLevel(wait, highestByDelay);
    this.#byLowWait = new DelayLevel(wait, highestByLow);
  }

  /** From 0, where nothing is shed, to 4, where all is but what callers of high priority ask. */
  get levels(): Levels {
    return this.#levels;
  }

  /** The delay of the loop, smoothed. Milliseconds. */
  get delayMs(): number {
    return this.#byDelay.delayMs;
  }

  /** How long the first in line has waited, those of low priority left out; smoothed. Milliseconds. */
  get waitMs(): number {
    return Math.max(this.#byWait.delayMs, this.#byStrangersWait.delayMs);
  }

  /** @param elapsedMs since the last time */
  update({ delayMs, wait, demand, memoryShare }: Measures, elapsedMs: number): void {
    const matters = demand >= leastDemand;
    this.#byDelay.update(delayMs, matters, elapsedMs);
    this.#byWait.update(wait.callers, matters, elapsedMs);
    this.#byStrangersWait.update(wait.strangers, matters, elapsedMs);
    this.#byLowWait.update(wait.low, matters, elapsedMs);
    const callers = Math.max(
      this.#byDelay.level,
      this.#byWait.level,
      this.#byLowWait.level,
      this.#byMemory(memoryShare),
    );
    this.#levels = { callers, strangers: Math.max(callers, this.#byStrangersWait.level) };
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

/** Twice the target: a burst after silence is worked off, and nobody's overload. */
const backlogFrom = 2;
const backlogTo = 4;

/**
 * The levels that those in line ask for before they have waited: who comes at the end of a long line would wait for all before
 * him.
 *
 * @param expected how long one that comes now would wait
 * @param target `overload.wait`, in milliseconds
 */
export function levelsByBacklog(expected: Waits, target: number): Levels {
  const by = (ms: number, highest: number): number =>
    Math.min(highest, rising(ms, backlogFrom * target, backlogTo * target));
  const callers = Math.max(by(expected.callers, highestByDelay), by(expected.low, highestByLow));
  return { callers, strangers: Math.max(callers, by(expected.strangers, highestByDelay)) };
}

/** 0 up to `from`, then evenly to the highest level at `to`. */
function rising(share: number, from: number, to: number): number {
  const level = ((share - from) / (to - from)) * highestLevel;
  // Written so that what is no number is 0.
  return level > 0 ? Math.min(level, highestLevel) : 0;
}
