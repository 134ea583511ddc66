import { levelByInFlight, levelByTurn, OverloadLevel } from './level.ts';
import type { OverloadOptions } from './options.ts';

/** What can be shed, in this order; calls by the priority of their caller's roles. */
export const shedOrder = ['session', 'list', 'call-low', 'call-normal'] as const;

export type Sheddable = (typeof shedOrder)[number];

/** What was refused: by kind; anything at all because too much is under way; or because too much of it is one caller's. */
export type Shed = Sheddable | 'in-flight' | 'share';

/** What the shedder reads of the machine. */
export interface Reading {
  /** How late the event loop was since the last reading. Milliseconds. */
  readonly delayMs: number;
  /** Milliseconds since the last reading. */
  readonly elapsedMs: number;
  readonly memoryShare: number;
}

/**
 * Decides what is refused. Holds the level, and counts of what is under way: nothing in here grows beyond that.
 */
export class Shedder {
  readonly #options: OverloadOptions;
  readonly #level: OverloadLevel;
  readonly #random: () => number;
  readonly #clock: () => number;
  readonly #delay: number | undefined;
  /** When the last request came, if one has since the last reading. */
  #lastAt: number | undefined;
  /** Milliseconds between the requests since the last reading, long pauses left out. */
  #spentMs = 0;
  /** Requests under way of each caller who has one. */
  readonly #held = new Map<string, number>();
  readonly #mostHeld: number;
  #underWay = 0;
  #arrived = 0;

  /**
   * @param random from 0 up to 1, as `Math.random`
   * @param clock monotonic milliseconds
   */
  constructor(options: OverloadOptions, random: () => number, clock: () => number) {
    const { delay, memory } = options;
    this.#options = options;
    this.#mostHeld = Math.max(1, Math.floor(options.inFlight * options.share));
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

  /** Whether more is under way than may be: what was let in unasked may bring that about. */
  get isBeyond(): boolean {
    return this.#underWay > this.#options.inFlight;
  }

  /** Counts one that was let in as this caller's. To be followed by one {@link release}. @returns false where it has its share */
  hold(caller: string): boolean {
    if ((this.#held.get(caller) ?? 0) >= this.#mostHeld) return false;
    this.holdAgain(caller);
    return true;
  }

  /** The same for one that cannot be refused any more. */
  holdAgain(caller: string): void {
    this.#held.set(caller, (this.#held.get(caller) ?? 0) + 1);
  }

  release(caller: string): void {
    const left = this.#held.get(caller)! - 1;
    if (left === 0) this.#held.delete(caller);
    else this.#held.set(caller, left);
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
    this.#lastAt = undefined;
    this.#spentMs = 0;
    this.#level.update({ delayMs, demand, memoryShare }, elapsedMs);
  }

  #arrive(): void {
    this.#arrived += 1;
    if (this.#delay === undefined) return;
    const now = this.#clock();
    if (this.#lastAt !== undefined) this.#spentMs += Math.min(longestWorkMs, now - this.#lastAt);
    this.#lastAt = now;
  }

  #byTurn(): number {
    return this.#delay === undefined ? 0 : levelByTurn(this.#spentMs, this.#delay);
  }
}

/**
 * 25 ms: what is longer between two requests is a collection of garbage, a reload or a machine that slept, and says nothing
 * about how many requests there are.
 */
const longestWorkMs = 25;

/** 20 ms: half of the delay that is worth acting on, and 50 times a second costs nothing. */
export const readEveryMs = 20;
