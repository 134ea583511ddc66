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

/** Does it step by step. Between two steps the event loop turns once. */
export async function finishInTurns<T>(steps: Steps<T>): Promise<Awaited<T>> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return await value;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
