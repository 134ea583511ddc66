/** Calendar windows in UTC: hours, days and months, so that every replica and every reader has the same borders. */

export type Period = 'hour' | 'day' | 'month';

export interface CalendarWindow {
  /** Number of the window among those of its period: a later one is larger. */
  readonly index: number;
  /** Its end, milliseconds since the epoch. */
  readonly end: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The window that a moment lies in. A moment at the border of two lies in the later one. */
export function windowAt(period: Period, time: number): CalendarWindow {
  if (period === 'month') {
    const date = new Date(time);
    const index = date.getUTCFullYear() * 12 + date.getUTCMonth();
    return { index, end: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) };
  }
  const width = period === 'hour' ? hourMs : dayMs;
  const index = Math.floor(time / width);
  return { index, end: (index + 1) * width };
}

/**
 * A wall clock that never goes back, so that a window which is over does not come again.
 *
 * Where the clock is set back, time goes on from the latest moment that was seen, as the monotonic clock goes: windows
 * then still end after their length, and no clock that was wrong for a minute makes a quota stand still for a year.
 */
export class ForwardClock {
  #offset = Number.NEGATIVE_INFINITY;

  /**
   * @param time milliseconds since the epoch
   * @param nowUs monotonic microseconds of the same moment
   */
  at(time: number, nowUs: number): number {
    const now = Math.floor(nowUs / 1000);
    this.#offset = Math.max(this.#offset, time - now);
    return now + this.#offset;
  }
}
