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
 * or where nothing at all was answered for a while, although somebody asked. The second condition keeps one caller, whose
 * calls all hang, from closing the door to others: as long as anybody is answered it stays closed.
 *
 * After a time, calls are let through as probes, one in each `pace`. The first that is answered closes it. Where no
 * connection comes about it opens again, for twice the time. Any other end of a probe may be the doing of its caller, who
 * called with arguments that crash a tool, or left: that caller waits longer for his next probe (twice the time where it
 * failed), and others have theirs. A probe that hangs holds up nobody: the next one goes its way.
 */
export interface Breaker {
  /**
   * @param caller who calls; undefined: nobody who could choose what is asked
   * @returns undefined where the call must not be made; otherwise what to hand in with its end
   */
  admit(caller?: string): Permit | undefined;
  settle(permit: Permit, evidence: Evidence): void;
  /** The gateway's own check of this endpoint: its success closes, and its failure counts as a connection that did not come about. */
  checked(ok: boolean): void;
  state(): BreakerState;
  /** Milliseconds until a call of this caller may be let through. */
  remaining(caller?: string): number;
}

/**
 * 1000 callers that had a probe since it opened: at one in a second it takes a quarter of an hour to fill. Then the one
 * that had the first is as good as new.
 */
const mostRemembered = 1000;

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
  /** Since when it was asked and has not answered. Nobody who is silent at night is down. */
  let unansweredSince: number | undefined;
  /** How often it opened without an answer in between: how long all wait. */
  let opened = 0;
  /** Probes since then that failed otherwise: how much longer those wait who had one already. */
  let spoilt = 0;
  /** The next probe may go. */
  let probeAt = 0;
  /** The same for callers that had one already. */
  let againAt = 0;
  const probers = new Set<string>();
  /** A probe has been let through since it opened. */
  let isProbing = false;

  /** @returns when the time is over that doubles with each failure after the first */
  const nextTry = (now: number, count: number): number =>
    now + Math.min(options.most, options.open * 2 ** (count - 1));

  function open(now: number): void {
    if (isClosed) onChange('open');
    isClosed = false;
    isProbing = false;
    epoch += 1;
    opened += 1;
    probeAt = nextTry(now, opened);
    againAt = probeAt;
  }

  function close(): void {
    if (!isClosed) onChange('closed');
    isClosed = true;
    epoch += 1;
    opened = 0;
    spoilt = 0;
    probers.clear();
    answered();
  }

  function answered(): void {
    failures = 0;
    unreached = 0;
    unansweredSince = undefined;
  }

  function failed(now: number, wasUnreached: boolean): void {
    failures += 1;
    if (wasUnreached) unreached += 1;
    unansweredSince ??= now;
    const isSilent = failures >= options.failures && now - unansweredSince >= options.silence;
    if (unreached >= options.failures || isSilent) open(now);
  }

  function noteProber(caller: string): void {
    probers.delete(caller);
    probers.add(caller);
    if (probers.size <= mostRemembered) return;
    for (const first of probers) {
      probers.delete(first);
      return;
    }
  }

  const mayProbeAt = (caller: string | undefined): number =>
    caller !== undefined && probers.has(caller) ? Math.max(probeAt, againAt) : probeAt;

  return {
    admit(caller) {
      const now = monotonic();
      if (isClosed) {
        unansweredSince ??= now;
        return epoch;
      }
      if (now < mayProbeAt(caller)) return undefined;
      isProbing = true;
      probeAt = now + options.pace;
      againAt = Math.max(againAt, probeAt + options.pace);
      if (caller !== undefined) noteProber(caller);
      return epoch;
    },
    settle(permit, evidence) {
      // From before it opened, or from a probe before no connection came about.
      if (permit !== epoch) return;
      if (evidence === 'neutral') {
        if (failures === 0) unansweredSince = undefined;
        return;
      }
      const now = monotonic();
      // Who says that it cannot is there all the same: a caller may know arguments that make it say so.
      if (evidence === 'ok' || evidence === 'erred') {
        if (isClosed) answered();
        else close();
      } else if (isClosed) failed(now, evidence === 'unreached');
      else if (evidence === 'unreached') open(now);
      else {
        isProbing = false;
        spoilt += 1;
        againAt = Math.max(againAt, nextTry(now, opened + spoilt));
      }
    },
    checked(ok) {
      if (ok) {
        if (isClosed) answered();
        else close();
      } else if (isClosed) failed(monotonic(), true);
    },
    state: () => (isClosed ? 'closed' : isProbing || monotonic() >= probeAt ? 'half-open' : 'open'),
    remaining: (caller) => (isClosed ? 0 : Math.max(0, mayProbeAt(caller) - monotonic())),
  };
}
