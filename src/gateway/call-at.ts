/** 60 s: how long a clock that was set may go unnoticed. */
const lookEvery = 60_000;

/** Where a call at a time reads the time. */
export interface Clocks {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

const realClocks: Clocks = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * Calls `then` at a time (milliseconds since the epoch). Where the clock is set meanwhile it is called as soon as either
 * reading says so: once that time is past, or once so much time has gone by as there was left. A clock that is set back
 * prolongs nothing.
 *
 * @returns what calls it off
 */
export function callAt(time: number, then: () => void, clocks: Clocks = realClocks): () => void {
  const until = clocks.monotonic() + time - clocks.now();
  const left = (): number => Math.min(time - clocks.now(), until - clocks.monotonic());
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    timer = setTimeout(
      () => {
        if (left() <= 0) then();
        else wait();
      },
      Math.max(0, Math.min(left(), lookEvery)),
    );
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}
