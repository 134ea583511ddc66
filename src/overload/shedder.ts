import { levelByInFlight, levelByTurn, OverloadLevel } from './level.ts';
import type { OverloadOptions } from './options.ts';

/** What can be shed, in this order; calls by the priority of their caller's roles. */
export const shedOrder = ['session', 'list', 'call-low', 'call-normal'] as const;

export type Sheddable = (typeof shedOrder)[number];

/** What was refused: by kind, or anything at all because too much is under way. */
export type Shed = Sheddable | 'in-flight';

/** What the shedder reads of the machine. */
export interface Reading {
  /** How late the event loop was since the last reading. Milliseconds. */
  readonly delayMs: number;
  /** Milliseconds since the last reading. */
  readonly elapsedMs: number;
  readonly memoryShare: number;
}

/**
 * Decides what is refused. Holds two counts and the level: nothing in here grows.
 */
export class Shedder {
  readonly #options: OverloadOptions;
  readonly #level: OverloadLevel;
  readonly #random: () => number;
  readonly #clock: () => number;
  readonly #delay: number | undefined;
  /** When the first request since the last reading came. */
  #turnSince: number | undefined;
  #underWay = 0;
  #arrived = 0;

  /**
   * @param random from 0 up to 1, as `Math.random`
   * @param clock monotonic milliseconds
   */
  constructor(options: OverloadOptions, random: () => number, clock: () => number) {
    const { delay, memory } = options;
    this.#options = options;
    this.#random = random;
    this.#clock = clock;
    this.#delay = delay === 'off' ? undefined : delay;
    this.#level = new OverloadLevel({
      delay: this.#delay,
      memory: memory === 'off' ? undefined : memory,
    });
  }

  /**
   * From 0, where nothing is shed, to 4, where all is but what callers of high priority ask. What is under way and what this
   * turn of the loop has taken so far count as they are now: between two readings a burst could fill all that is kept, and a
   * thousand requests that are read in one turn are let in or refused before there is another.
   */
  get level(): number {
    const inFlight = levelByInFlight(this.#underWay / this.#options.inFlight);
    return Math.max(this.#level.level, inFlight, this.#byTurn());
  }

  /** The delay of the event loop, smoothed. Milliseconds. */
  get delayMs(): number {
    return this.#level.delayMs;
  }

  /** Requests under way, open streams left out. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Whether as much is under way as may be. */
  get full(): boolean {
    return this.#underWay >= this.#options.inFlight;
  }

  /** A request is turned away before anything is known of it. */
  turnAway(): void {
    this.#arrive();
  }

  /** A request is let in. To be followed by one {@link leave}. */
  enter(): void {
    this.#underWay += 1;
    this.#arrive();
  }

  /** It is answered, or has become a stream that stays open. */
  leave(): void {
    this.#underWay -= 1;
  }

  /** A stream that stayed open ends: it counts again until its {@link leave}. */
  comeBack(): void {
    this.#underWay += 1;
  }

  /** Whether this one is to be refused. Where its kind is shed in part, chance decides. */
  sheds(kind: Sheddable): boolean {
    const share = this.level - shedOrder.indexOf(kind);
    return share > 0 && (share >= 1 || this.#random() < share);
  }

  /** Whole seconds for `Retry-After`. */
  retryAfter(): number {
    return Math.ceil((this.#options.retryAfter * (1 + 2 * this.#random())) / 1000);
  }

  /** Takes a reading. To be called often: every {@link readEveryMs} or as soon after as the loop lets. */
  read({ delayMs, elapsedMs, memoryShare }: Reading): void {
    const demand = this.#underWay + this.#arrived;
    this.#arrived = 0;
    this.#turnSince = undefined;
    this.#level.update({ delayMs, demand, memoryShare }, elapsedMs);
  }

  #arrive(): void {
    this.#arrived += 1;
    if (this.#delay !== undefined) this.#turnSince ??= this.#clock();
  }

  #byTurn(): number {
    if (this.#delay === undefined || this.#turnSince === undefined) return 0;
    return levelByTurn(this.#clock() - this.#turnSince, this.#delay);
  }
}

/** 20 ms: half of the delay that is worth acting on, and 50 times a second costs nothing. */
export const readEveryMs = 20;
