/** One call, as its caller saw it. Milliseconds of one clock. */
export interface TimedCall {
  readonly begun: number;
  readonly ended: number;
  /** `unknown`: not admitted, but it may have been charged. */
  readonly outcome: 'admitted' | 'refused' | 'unknown';
}

/**
 * How many calls were certainly refused that one process, counting exactly, would have admitted: 0 where none was.
 *
 * A call is refused when nothing is left of the burst. From one refusal to a later one so many calls must have been charged
 * as the rate gave in between, if the refusals between them are so close that it gave no whole burst: nothing is lost then.
 * When a call was decided nobody knows but that it was between its beginning and its end; whatever the machine does in
 * that time, nothing right is called missing.
 *
 * @param rate `lost`: the part of it that may be charged and used by nobody
 */
export function missingCalls(
  calls: readonly TimedCall[],
  rate: { readonly perSecond: number; readonly burst: number; readonly lost: number },
): number {
  const charged = calls.filter(({ outcome }) => outcome !== 'refused');
  const begun = charged.map((call) => call.begun).sort((a, b) => a - b);
  const ended = charged.map((call) => call.ended).sort((a, b) => a - b);
  const refused = calls.filter(({ outcome }) => outcome === 'refused').sort((a, b) => a.begun - b.begun);
  const perMs = rate.perSecond / 1000;
  const whole = (rate.burst - 1) / perMs;
  const least = perMs * (1 - rate.lost);
  let missing = 0;
  let before: TimedCall | undefined;
  /** Of the refusals before that are close enough, the one since which the most is missing. */
  let since = Number.NEGATIVE_INFINITY;
  for (const call of refused) {
    const isClose = before !== undefined && Math.max(call.ended, before.ended) - before.begun < whole;
    if (!isClose) since = Number.NEGATIVE_INFINITY;
    missing = Math.max(missing, since + least * call.begun - countUpTo(begun, call.ended));
    since = Math.max(since, countUpTo(ended, call.begun) - least * call.ended);
    before = call;
  }
  // What is left of a unit at the first refusal, and what is held in advance at the last.
  return Math.max(0, Math.floor(missing - 1 - rate.perSecond * rate.lost));
}

/** How many of these are at most so much. */
function countUpTo(sorted: readonly number[], most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
