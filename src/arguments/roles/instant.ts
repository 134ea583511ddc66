/** A date, with or without a time, as RFC 3339 writes it. */
export interface Instant {
  /** Milliseconds since the epoch; of a plain date its beginning, and without an offset as if in UTC. */
  readonly ms: number;
  readonly hasTime: boolean;
  readonly hasOffset: boolean;
}

const form = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * Reads `2026-01-31`, `2026-01-31T12:00:00Z` and their like: days that exist, seconds of 0 to 59. `-00:00`, which
 * means that the offset is not known, counts as none.
 *
 * @returns undefined where the text is anything else
 */
export function parseInstant(text: string): Instant | undefined {
  if (text.length > 40) return undefined;
  const match = form.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (month! < 1 || month! > 12 || day! < 1 || day! > daysIn(year!, month!)) return undefined;
  if (hour! > 23 || minute! > 59 || second! > 59) return undefined;
  const offset = offsetOf(match[8]);
  if (offset === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!);
  date.setUTCHours(hour!, minute!, second!, Math.floor(Number(match[7] ?? 0) * 1000));
  return {
    ms: date.getTime() - offset * 60_000,
    hasTime: match[4] !== undefined,
    hasOffset: match[8] !== undefined && match[8] !== '-00:00',
  };
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Minutes east of UTC; undefined where there is no such offset. */
function offsetOf(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
