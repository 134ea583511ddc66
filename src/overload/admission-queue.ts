import { type Begin, Lines, type Rank } from './lines.ts';

/** How long requests wait. Milliseconds. */
export interface Wait {
  /** The one that came first. */
  readonly oldestMs: number;
  /** One that came now, if all before it were served. */
  readonly expectedMs: number;
}

/** What is known of the requests that wait. */
export interface Backlog {
  readonly waiting: number;
  /** Of callers who are known, and not of low priority: they wait for each other only. */
  readonly callers: Wait;
  /** Of strangers, who wait for those as well. */
  readonly strangers: Wait;
  /** Of callers of low priority, who wait for all others. */
  readonly low: Wait;
  /** How many wait of this rank and of those that come before it. */
  upTo(rank: Rank): number;
}

export interface AdmissionQueueDependencies {
  /** Monotonic milliseconds. */
  clock(): number;
  /** Calls once this turn of the event loop has read what there was to read: `setImmediate`. */
  afterThisTurn(run: () => void): void;
}

/**
 * 5 ms: with the answers of as many, a turn then takes about 10 ms, and that is how long a refusal waits. Less would look at
 * thousands of sockets for the sake of a few calls.
 */
const mostMs = 5;
/** 32, because work that waits for a signature to be checked is not seen when it begins. */
const mostStarts = 32;
/** 64 KiB: what large bodies cost is not seen when they begin, and falls due all at once when they are whole. */
const mostBytes = 65_536;
/** 25 ms: what a turn took beyond that was a collection of garbage, a reload or a machine that slept. */
const longestTurnMs = 25;
/** 1/8 for each turn: one odd turn among many moves it little. */
const costWeight = 0.125;

/** What has been begun since sockets were read, or since those who wait get their turn. */
interface Turn {
  readonly reads: boolean;
  readonly began: number;
  starts: number;
  bytes: number;
}

/**
 * Lets requests begin, so few in a turn of the event loop that it stays short, and in the order of their rank.
 *
 * Without it, all requests that are read in one turn are worked off in that turn: a thousand of them hold up the refusals of
 * the next thousand, new connections, answers of servers, and the one caller of high priority who came last.
 *
 * Holds some closures for each request that waits; how many may is for its user to bound.
 */
export class AdmissionQueue implements Backlog {
  readonly #deps: AdmissionQueueDependencies;
  readonly #lines = new Lines();
  #turn: Turn | undefined;
  /** Calls of {@link #next} that are due. Each begins one request at most, as only then its work can be measured. */
  #due = 0;
  /** When the last turn of those who wait was over, while there is a line. */
  #lastEnd: number | undefined;
  /** What one request takes of the loop, its answer and all that comes beside it included. Milliseconds. */
  #costMs = 0;

  constructor(deps: AdmissionQueueDependencies) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#lines.length;
  }

  get callers(): Wait {
    return this.#waitOf(this.#lines.oldestCaller, 'normal');
  }

  get strangers(): Wait {
    return this.#waitOf(this.#lines.oldest('unknown'), 'unknown');
  }

  get low(): Wait {
    return this.#waitOf(this.#lines.oldest('low'), 'low');
  }

  upTo(rank: Rank): number {
    return this.#lines.upTo(rank);
  }

  /** Whether one that comes now begins at once, whatever its rank. */
  get isOpen(): boolean {
    return this.#lines.length === 0 && (this.#turn === undefined || fits(this.#turn, this.#deps.clock()));
  }

  /**
   * Begins at once or, where there is a line, when its turn has come.
   *
   * @param bytes of its body, as far as is known
   * @returns takes it out of the line; undefined where it has begun
   */
  enter(rank: Rank, bytes: number, begin: Begin): (() => void) | undefined {
    const { isOpen } = this;
    this.#turn ??= this.#newTurn(true);
    let leave: (() => void) | undefined;
    if (isOpen) start(this.#turn, bytes, begin);
    else leave = this.#lines.append(rank, { since: this.#deps.clock(), bytes, begin });
    // One in any case: it ends this turn.
    if (this.#due === 0 || (!isOpen && this.#due < mostStarts)) this.#beDue(1);
    return leave;
  }

  #waitOf(oldest: number | undefined, rank: Rank): Wait {
    return {
      oldestMs: oldest === undefined ? 0 : this.#deps.clock() - oldest,
      expectedMs: this.#lines.upTo(rank) * this.#costMs,
    };
  }

  #newTurn(reads: boolean): Turn {
    return { reads, began: this.#deps.clock(), starts: 0, bytes: 0 };
  }

  #beDue(times: number): void {
    this.#due += times;
    for (let time = 0; time < times; time += 1) this.#deps.afterThisTurn(this.#next);
  }

  readonly #next = (): void => {
    this.#due -= 1;
    if (this.#turn?.reads !== false) this.#turn = this.#newTurn(false);
    const turn = this.#turn;
    // At least one, so that all get on however late the loop is.
    if (turn.starts === 0 || fits(turn, this.#deps.clock())) {
      let isBegun = false;
      // Who has left takes nobody's turn: clients that ask and leave would hold up those who stay.
      while (!isBegun && this.#lines.length > 0) {
        const { bytes, begin } = this.#lines.take();
        isBegun = start(turn, bytes, begin);
      }
    }
    if (this.#due === 0) this.#endTurn(turn.starts);
  };

  #endTurn(starts: number): void {
    this.#turn = undefined;
    const { length } = this.#lines;
    if (length === 0) {
      this.#lastEnd = undefined;
      return;
    }
    const now = this.#deps.clock();
    if (this.#lastEnd !== undefined && starts > 0) {
      const cost = Math.min(now - this.#lastEnd, longestTurnMs) / starts;
      this.#costMs += (cost - this.#costMs) * (this.#costMs === 0 ? 1 : costWeight);
    }
    this.#lastEnd = now;
    this.#beDue(Math.min(length, mostStarts));
  }
}

function fits(turn: Turn, now: number): boolean {
  return turn.starts < mostStarts && turn.bytes < mostBytes && now - turn.began < mostMs;
}

function start(turn: Turn, bytes: number, begin: Begin): boolean {
  const isBegun = begin();
  if (isBegun) {
    turn.starts += 1;
    turn.bytes += bytes;
  }
  return isBegun;
}
