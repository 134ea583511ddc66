import type { Evidence } from './evidence.ts';

export interface BreakerOptions {
  readonly failures: number;
  /** Milliseconds. */
  readonly silence: number;
  /** Milliseconds. */
  readonly open: number;
  /** Milliseconds. */
  readonly most: number;
  /** Milliseconds. */
  readonly pace: number;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

/** Names the stretch of time in which a call was admitted: what it comes to counts in that stretch alone. */
export type Permit = number;

/**
 * Keeps calls from an endpoint that does not answer, so that they fail at once.
 *
 * It opens after so many failures without one answer in between, where these were connections that did not come about,
 * or where nothing at all was answered for a while. The second condition keeps one caller, whose calls all hang, from
 * closing the door to others: as long as anybody is answered it stays closed.
 *
 * After a time, which doubles with each failure, calls are let through as probes, one in each `pace`. The first that is
 * answered closes it, one that fails opens it again. A probe that hangs holds up nobody: the next one goes its way.
 */
export interface Breaker {
  /** @returns undefined where the call must not be made; otherwise what to hand in with its end */
  admit(): Permit | undefined;
  settle(permit: Permit, evidence: Evidence): void;
  /** The gateway's own check of this endpoint: its success closes, and its failure counts as a connection that did not come about. */
  checked(ok: boolean): void;
  state(): BreakerState;
  /** Milliseconds until a call may be let through. */
  remaining(): number;
}

/**
 * @param monotonic milliseconds that never go back
 * @param onChange called for `open` and `closed`
 */
export function createBreaker(
  options: BreakerOptions,
  monotonic: () => number,
  onChange: (state: 'open' | 'closed') => void = () => undefined,
): Breaker {
  let epoch: Permit = 0;
  let isClosed = true;
  let failures = 0;
  let unreached = 0;
  /** When it last answered, or was given the benefit of the doubt. */
  let answeredAt = monotonic();
  let opened = 0;
  /** The next probe may go. */
  let probeAt = 0;
  /** A probe has been let through since it opened. */
  let isProbing = false;

  function open(now: number): void {
    if (isClosed) onChange('open');
    isClosed = false;
    isProbing = false;
    epoch += 1;
    opened += 1;
    probeAt = now + Math.min(options.most, options.open * 2 ** (opened - 1));
  }

  function close(now: number): void {
    if (!isClosed) onChange('closed');
    isClosed = true;
    epoch += 1;
    opened = 0;
    answered(now);
  }

  function answered(now: number): void {
    failures = 0;
    unreached = 0;
    answeredAt = now;
  }

  function failed(now: number, wasUnreached: boolean): void {
    failures += 1;
    if (wasUnreached) unreached += 1;
    const isSilent = failures >= options.failures && now - answeredAt >= options.silence;
    if (unreached >= options.failures || isSilent) open(now);
  }

  return {
    admit() {
      if (isClosed) return epoch;
      const now = monotonic();
      if (now < probeAt) return undefined;
      isProbing = true;
      probeAt = now + options.pace;
      return epoch;
    },
    settle(permit, evidence) {
      // From before it opened, or from a probe before the last failure.
      if (permit !== epoch || evidence === 'neutral') return;
      const now = monotonic();
      // Who says that it cannot is there all the same: a caller may know arguments that make it say so.
      if (evidence === 'ok' || evidence === 'erred') {
        if (isClosed) answered(now);
        else close(now);
      } else if (isClosed) failed(now, evidence === 'unreached');
      else open(now);
    },
    checked(ok) {
      const now = monotonic();
      if (ok) {
        if (isClosed) answered(now);
        else close(now);
      } else if (isClosed) failed(now, true);
    },
    state: () => (isClosed ? 'closed' : isProbing || monotonic() >= probeAt ? 'half-open' : 'open'),
    remaining: () => (isClosed ? 0 : Math.max(0, probeAt - monotonic())),
  };
}
