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
}

interface Link {
  readonly waiting: Waiting;
  readonly line: Line;
  previous: Link | undefined;
  next: Link | undefined;
  /** False once it has been taken out. */
  stands: boolean;
}

interface Line {
  first: Link | undefined;
  last: Link | undefined;
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
    return oldestOf(this.#ofCallers)?.first?.waiting.since;
  }

  /** When the first of this rank came. */
  oldest(rank: Rank): number | undefined {
    return this.#lineOf(rank).first?.waiting.since;
  }

  /** @returns takes it out again; does nothing once it is out */
  append(rank: Rank, waiting: Waiting): () => void {
    const line = this.#lineOf(rank);
    const link: Link = { waiting, line, previous: line.last, next: undefined, stands: true };
    if (line.last === undefined) line.first = link;
    else line.last.next = link;
    line.last = link;
    line.length += 1;
    this.#length += 1;
    return () => this.#takeOut(link);
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
    const link = line.first!;
    this.#takeOut(link);
    return link.waiting;
  }

  #takeOut(link: Link): void {
    if (!link.stands) return;
    link.stands = false;
    const { line, previous, next } = link;
    if (previous === undefined) line.first = next;
    else previous.next = next;
    if (next === undefined) line.last = previous;
    else next.previous = previous;
    line.length -= 1;
    this.#length -= 1;
  }
}

/** The line whose first has waited longest, of several the least important; undefined where nobody waits. */
function oldestOf(lines: readonly Line[]): Line | undefined {
  let oldest: Line | undefined;
  for (const line of lines) {
    if (line.first === undefined) continue;
    if (oldest === undefined || line.first.waiting.since <= oldest.first!.waiting.since) oldest = line;
  }
  return oldest;
}
