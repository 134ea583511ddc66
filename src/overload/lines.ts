/** In this order requests leave the lines; `unknown` are those of which nothing has been found out yet. */
export const ranks = ['high', 'normal', 'unknown', 'low'] as const;

export type Rank = (typeof ranks)[number];

/** Begins a request; false where its client has left meanwhile. Must not throw. */
export type Begin = () => boolean;

export interface Waiting {
  /** When it came. */
  readonly since: number;
  readonly bytes: number;
  readonly begin: Begin;
  next: Waiting | undefined;
}

interface Line {
  first: Waiting | undefined;
  last: Waiting | undefined;
  length: number;
}

/** Every fourth is the one that has waited longest of all: no rank locks another one out. */
const longestWaitingEvery = 4;

/** A line for each rank. */
export class Lines {
  readonly #lines: readonly Line[] = ranks.map(() => ({ first: undefined, last: undefined, length: 0 }));
  readonly #ofCallers = [this.#lineOf('high'), this.#lineOf('normal')];
  #length = 0;
  #taken = 0;

  get length(): number {
    return this.#length;
  }

  /** How many wait of this rank and of those before it. */
  upTo(rank: Rank): number {
    let sum = 0;
    for (let index = ranks.indexOf(rank); index >= 0; index -= 1) sum += this.#lines[index]!.length;
    return sum;
  }

  /** When the first of the callers came of whom it is known that they are not of low priority; undefined where none waits. */
  get oldestCaller(): number | undefined {
    return oldestOf(this.#ofCallers)?.first?.since;
  }

  /** When the first of this rank came. */
  oldest(rank: Rank): number | undefined {
    return this.#lineOf(rank).first?.since;
  }

  append(rank: Rank, waiting: Waiting): void {
    const line = this.#lineOf(rank);
    if (line.last === undefined) line.first = waiting;
    else line.last.next = waiting;
    line.last = waiting;
    line.length += 1;
    this.#length += 1;
  }

  #lineOf(rank: Rank): Line {
    return this.#lines[ranks.indexOf(rank)]!;
  }

  /** Takes the next one out. @throws TypeError where none waits */
  take(): Waiting {
    this.#taken = (this.#taken + 1) % longestWaitingEvery;
    const line = (
      this.#taken === 0 ? oldestOf(this.#lines) : this.#lines.find(({ length }) => length > 0)
    ) as Line;
    const waiting = line.first!;
    line.first = waiting.next;
    if (waiting.next === undefined) line.last = undefined;
    line.length -= 1;
    this.#length -= 1;
    return waiting;
  }
}

/** The line whose first has waited longest, of several the least important; undefined where nobody waits. */
function oldestOf(lines: readonly Line[]): Line | undefined {
  let oldest: Line | undefined;
  for (const line of lines) {
    if (line.first === undefined) continue;
    if (oldest === undefined || line.first.since <= oldest.first!.since) oldest = line;
  }
  return oldest;
}
