export interface RetryOptions {
  /** Percent of the calls. */
  readonly share: number;
  readonly perSecond: number;
}

/** 10 s of the share that is always there, and 100 from calls: what may be saved up for a bad moment. */
const savedSeconds = 10;
const mostSaved = 100;

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
  spend(): boolean;
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
    spend() {
      const now = monotonic();
      fromTime = Math.min(mostFromTime, fromTime + ((now - at) / 1000) * options.perSecond);
      at = now;
      if (fromTime >= 1) fromTime -= 1;
      else if (fromCalls >= 100) fromCalls -= 100;
      else return false;
      return true;
    },
  };
}
