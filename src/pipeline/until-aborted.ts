/**
 * Waits for a client that takes its time, but no longer than the exchange may last: one that reads nothing must not keep
 * a stream that is to end.
 */
export function untilAborted(
  waiting: Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> | undefined {
  if (waiting === undefined || signal.aborted) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    void waiting.then(done, done);
  });
}
