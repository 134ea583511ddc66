import type { Evidence } from './evidence.ts';

export interface EjectionOptions {
  /** Failures in a row. */
  readonly failures: number;
  /** Percent of the calls of a window. */
  readonly share: number;
  /** Calls in a window below which its share says nothing. */
  readonly calls: number;
  /** Milliseconds. */
  readonly time: number;
  /** Milliseconds. */
  readonly most: number;
}

/** 10 s: as long as ten calls a second take to say something. */
const windowMs = 10_000;

interface Window {
  from: number;
  calls: number;
  failures: number;
}

/**
 * Tells from the calls themselves that one endpoint does worse than it should, so that those who may choose go elsewhere
 * for a while. Each time the while is twice as long; after a long time without cause it is short again.
 *
 * All evidence counts, also what a caller may bring about: it moves calls to other endpoints and refuses none.
 */
export interface Outlier {
  /** @returns whether this very evidence ejected the endpoint */
  record(evidence: Evidence): boolean;
  isEjected(): boolean;
  /** Milliseconds for which it is avoided from now on; 0 where it is not. */
  remaining(): number;
  /** It is known by other means that it does well again: it is not avoided any longer. The next time counts as another. */
  readmit(): void;
}

/** @param monotonic milliseconds that never go back */
export function createOutlier(options: EjectionOptions, monotonic: () => number): Outlier {
  let inRow = 0;
  let window: Window = { from: Number.NEGATIVE_INFINITY, calls: 0, failures: 0 };
  let ejectedUntil = Number.NEGATIVE_INFINITY;
  let times = 0;

  function count(failed: boolean, now: number): void {
    if (now - window.from >= windowMs) window = { from: now, calls: 0, failures: 0 };
    window.calls += 1;
    if (failed) window.failures += 1;
  }

  function isTooMuch(): boolean {
    const { calls, failures } = window;
    return inRow >= options.failures || (calls >= options.calls && failures * 100 >= calls * options.share);
  }

  function eject(now: number): void {
    times = now - ejectedUntil >= options.most ? 1 : times + 1;
    ejectedUntil = now + Math.min(options.most, options.time * 2 ** (times - 1));
    inRow = 0;
    window = { from: Number.NEGATIVE_INFINITY, calls: 0, failures: 0 };
  }

  return {
    record(evidence) {
      const now = monotonic();
      // What still comes of calls from before says nothing new.
      if (evidence === 'neutral' || now < ejectedUntil) return false;
      const failed = evidence !== 'ok';
      inRow = failed ? inRow + 1 : 0;
      count(failed, now);
      if (!failed || !isTooMuch()) return false;
      eject(now);
      return true;
    },
    isEjected: () => monotonic() < ejectedUntil,
    remaining: () => Math.max(0, ejectedUntil - monotonic()),
    readmit() {
      ejectedUntil = Math.min(ejectedUntil, monotonic());
    },
  };
}
