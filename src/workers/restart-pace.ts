/** When a process that ended may begin again. */
export interface RestartPace {
  /**
   * A process ended that was meant to run on.
   *
   * @param ranMs milliseconds that it served; 0 where it never did
   * @returns milliseconds to wait, or `give-up` where it keeps ending soon after its start
   */
  ended(ranMs: number): number | 'give-up';
}

/** 250 ms: long enough for whoever sent what killed it to see the connection go, short enough for everybody else. */
const firstMs = 250;
/** A process that served for a minute is not in a loop. */
const healthyMs = 60_000;
/** Ends in a row. Six, with pauses from a quarter of a second up to four: some eight seconds in all. */
const most = 6;

/** One for each worker: what ends one soon after its start, again and again, would end all of them. */
export function createRestartPace(): RestartPace {
  let soon = 0;
  return {
    ended(ranMs) {
      soon = ranMs >= healthyMs ? 1 : soon + 1;
      if (soon >= most) return 'give-up';
      return firstMs * 2 ** (soon - 1);
    },
  };
}
