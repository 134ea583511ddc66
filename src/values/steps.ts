/**
 * Work that can stop in between: each `yield` is a place where others may have their turn. What lies between two of them is
 * bounded, whatever the input.
 */
export type Steps<T> = Generator<void, T, void>;

/** UTF-16 units or bytes of plain reading between two places to stop: less than a millisecond. */
export const stepSize = 65_536;

/** Does it all at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * What all of `finishInTurns` may do together in one turn: 2 ms. A turn for each step, however small, would make ten thousand
 * small steps wait for ten thousand turns, each of which is long under load.
 */
const perTurnMs = 2;

/** Monotonic milliseconds spent in this turn; undefined where nothing was done in it yet. */
let spentMs: number | undefined;

function spend(ms: number): void {
  if (spentMs === undefined) {
    spentMs = 0;
    // Asked for before those who wait for the next turn, and so called before them.
    setImmediate(() => {
      spentMs = undefined;
    });
  }
  spentMs += ms;
}

/**
 * Does it step by step. The event loop turns once some 2 ms of this turn are spent by all that are done so; after that each
 * of them does one step in a turn.
 */
export async function finishInTurns<T>(steps: Steps<T>): Promise<Awaited<T>> {
  for (;;) {
    const began = performance.now();
    const { done, value } = steps.next();
    if (done) return await value;
    spend(performance.now() - began);
    if (spentMs! >= perTurnMs) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
