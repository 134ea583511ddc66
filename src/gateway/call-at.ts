/** Node's timers hold 24 days at most, and no stream lives that long. */
const longestTimer = 2 ** 31 - 1;

/** Calls `then` at a time (milliseconds since the epoch), or in 24 days if that is sooner. @returns what calls it off */
export function callAt(time: number, then: () => void): () => void {
  const timer = setTimeout(then, Math.min(time - Date.now(), longestTimer));
  timer.unref();
  return () => clearTimeout(timer);
}
