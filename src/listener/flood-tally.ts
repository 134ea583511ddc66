import type { Refusal } from './refusal.ts';

/** What floods are refused for: the values of a metric's label. */
export const floodKinds = [
  'blocked',
  'connections',
  'connections-per-address',
  'handshakes',
  'handshakes-per-address',
  'requests',
  'requests-per-address',
  'control-frames',
  'unsent',
] as const;

export type FloodKind = (typeof floodKinds)[number];

/** The cause of a refusal by a flood, as records show it: `Flood(handshakes)`. */
export function floodCause(kind: FloodKind): unknown {
  return causes.get(kind);
}

const causes: ReadonlyMap<FloodKind, object> = new Map(
  floodKinds.map((kind) => [kind, Object.freeze({ name: 'Flood', code: kind })]),
);

/** 10 records of each kind in 10 s: enough to see who floods and how, and no flood of its own. */
const mostTold = 10;
const spanMs = 10_000;

interface Span {
  readonly endsAt: number;
  told: number;
  untold: number;
  last: Refusal | undefined;
}

/**
 * Tells of refusals that a flood makes by the thousand: the first few of each kind one by one, and all that follow within
 * the span together, in one that stands for so many. Counters count each.
 */
export class FloodTally {
  readonly #tell: (refusal: Refusal) => void;
  readonly #count: (kind: FloodKind) => void;
  /** By kind and status: what was answered and what was closed unheard must not stand for each other. */
  readonly #spans = new Map<string, Span>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (refusal: Refusal) => void, count: (kind: FloodKind) => void) {
    this.#tell = tell;
    this.#count = count;
  }

  /** Counts what has a record already, or none. */
  count(kind: FloodKind): void {
    this.#count(kind);
  }

  refused(kind: FloodKind, refusal: Refusal, now: number = performance.now()): void {
    this.#count(kind);
    const key = `${kind} ${refusal.status}`;
    let span = this.#spans.get(key);
    if (span === undefined || now >= span.endsAt) {
      if (span !== undefined) this.#close(span);
      span = { endsAt: now + spanMs, told: 0, untold: 0, last: undefined };
      this.#spans.set(key, span);
    }
    if (span.told < mostTold) {
      span.told += 1;
      this.#tell(refusal);
      return;
    }
    span.untold += 1;
    span.last = refusal;
    this.#timer ??= setTimeout(() => this.flush(), spanMs).unref();
  }

  /** Tells what has not been told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const span of this.#spans.values()) this.#close(span);
    this.#spans.clear();
  }

  #close(span: Span): void {
    if (span.last !== undefined) this.#tell({ ...span.last, times: span.untold });
    span.untold = 0;
    span.last = undefined;
  }
}
