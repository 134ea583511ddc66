import type { Backlog, Wait } from './admission-queue.ts';
import { type Levels, levelByInFlight, levelsByBacklog, OverloadLevel, type Waits } from './level.ts';
import type { Rank } from './lines.ts';
import type { OverloadOptions } from './options.ts';

/** What can be shed, in this order; calls by the priority of their caller's roles. */
export const shedOrder = ['session', 'list', 'call-low', 'call-normal'] as const;

export type Sheddable = (typeof shedOrder)[number];

/** Whether the caller of a request was known when it came. */
export type Whom = keyof Levels;

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
  readonly #backlog: Backlog;
  readonly #wait: number | undefined;
  /** Requests under way of each caller who has one. */
  readonly #held = new Map<string, number>();
  readonly #mostHeld: number;
  #underWay = 0;
  #arrived = 0;

  /**
   * @param random from 0 up to 1, as `Math.random`
   * @param backlog what waits to be let in
   */
  constructor(options: OverloadOptions, random: () => number, backlog: Backlog) {
    const { delay, wait, memory } = options;
    this.#options = options;
    this.#mostHeld = Math.max(1, Math.floor(options.inFlight * options.share));
    this.#random = random;
    this.#backlog = backlog;
    this.#wait = wait === 'off' ? undefined : wait;
    this.#level = new OverloadLevel({
      delay: delay === 'off' ? undefined : delay,
      wait: this.#wait,
      memory: memory === 'off' ? undefined : memory,
    });
  }

  /**
   * From 0, where nothing is shed, to 4, where all is but what callers of high priority ask. What is under way and what waits
   * count as they are now: between two readings a burst could fill all that is kept, or a line that is worked off for seconds.
   */
  get level(): number {
    return this.levelFor('strangers');
  }

  /** The same for a request whose caller was known when it came, or was not. Strangers are refused first. */
  levelFor(whom: Whom): number {
    const inFlight = levelByInFlight(this.#underWay / this.#options.inFlight);
    return Math.max(this.#level.levels[whom], inFlight, this.#byBacklog(whom));
  }

  /** The delay of the event loop, smoothed. Milliseconds. */
  get delayMs(): number {
    return this.#level.delayMs;
  }

  /** How long the first in line has waited, those of low priority left out; smoothed. Milliseconds. */
  get waitMs(): number {
    return this.#level.waitMs;
  }

  /** Requests under way, open streams left out. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Requests that wait to be let in. */
  get waiting(): number {
    return this.#backlog.waiting;
  }

  /** Whether as much is under way as may be. */
  get full(): boolean {
    return this.#underWay >= this.#options.inFlight;
  }

  /** Whether anything may be refused now, to anybody. */
  get isCalm(): boolean {
    return this.level === 0 && this.#backlog.waiting < this.#options.inFlight;
  }

  /** Whether as many wait as may be, of those who come before one of this rank and of its own. */
  lineIsFull(rank: Rank): boolean {
    return this.#backlog.upTo(rank) >= this.#options.inFlight;
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
    this.#arrived += 1;
  }

  /** A request is let in. To be followed by one {@link leave}. */
  enter(): void {
    this.#underWay += 1;
    this.#arrived += 1;
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
  sheds(kind: Sheddable, whom: Whom): boolean {
    const share = this.levelFor(whom) - shedOrder.indexOf(kind);
    return share > 0 && (share >= 1 || this.#random() < share);
  }

  /** Whole seconds for `Retry-After`. */
  retryAfter(): number {
    return Math.ceil((this.#options.retryAfter * (1 + 2 * this.#random())) / 1000);
  }

  /** Takes a reading. To be called often: every {@link readEveryMs} or as soon after as the loop lets. */
  read({ delayMs, elapsedMs, memoryShare }: Reading): void {
    const demand = this.#underWay + this.#backlog.waiting + this.#arrived;
    this.#arrived = 0;
    const wait = waitsOf(this.#backlog, ({ oldestMs }) => oldestMs);
    this.#level.update({ delayMs, wait, demand, memoryShare }, elapsedMs);
  }

  #byBacklog(whom: Whom): number {
    if (this.#wait === undefined || this.#backlog.waiting === 0) return 0;
    const expected = waitsOf(this.#backlog, ({ expectedMs }) => expectedMs);
    return levelsByBacklog(expected, this.#wait)[whom];
  }
}

function waitsOf({ callers, strangers, low }: Backlog, of: (wait: Wait) => number): Waits {
  return { callers: of(callers), strangers: of(strangers), low: of(low) };
}

/** 20 ms: half of the delay that is worth acting on, and 50 times a second costs nothing. */
export const readEveryMs = 20;
