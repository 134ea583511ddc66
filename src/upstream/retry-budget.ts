import type { Retry } from './retry.ts';

export interface RetryOptions {
  /** Percent of the calls. */
  readonly share: number;
  readonly perSecond: number;
}

/** 10 s of the share that is always there, and 100 from calls: what may be saved up for a bad moment. */
const savedSeconds = 10;
const mostSaved = 100;

/**
 * Of what time has saved up, half is not for reads: a caller may know one that has the connection cut off, and would leave
 * nothing for the calls of others on the day when an endpoint dies. That no connection comes about is no caller's doing.
 */
const keptFromReads = 1 / 2;

/**
 * How many retries an upstream may cause. Where everything fails, retries would double the load on what is left.
 *
 * A share of the calls, so that many calls may have many retries, and a few in each second, so that few calls may have
 * one at all.
 */
export interface RetryBudget {
  /** A call came: it brings its share. */
  earn(): void;
  /** @returns whether a retry may be made; it is counted then */
  spend(why: Retry['why']): boolean;
}

/** @param monotonic milliseconds that never go back */
export function createRetryBudget(options: RetryOptions, monotonic: () => number): RetryBudget {
  const mostFromTime = options.perSecond * savedSeconds;
  let fromCalls = 0;
  let fromTime = mostFromTime;
  let at = monotonic();

  return {
    earn() {
      // In hundredths, so that what is earned adds up without loss.
      fromCalls = Math.min(mostSaved * 100, fromCalls + options.share);
    },
    spend(why) {
      const now = monotonic();
      fromTime = Math.min(mostFromTime, fromTime + ((now - at) / 1000) * options.perSecond);
      at = now;
      const kept = why === 'reread' ? mostFromTime * keptFromReads : 0;
      if (fromTime - kept >= 1) fromTime -= 1;
      else if (fromCalls >= 100) fromCalls -= 100;
      else return false;
      return true;
    },
  };
}
