import type { Condition } from './condition.ts';
import type { TimeTest } from './options.ts';
import { type Truth, truthOf } from './truth.ts';

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** Beyond this a Date is invalid (ECMA-262, time values). */
const farthestTime = 8.64e15;

/**
 * `time: { days: [mon, fri], between: ["08:00", "18:00"], zone: Europe/Berlin }`. The end is not part of the span. A
 * span that ends before it begins crosses midnight, and its small hours belong to the day on which it began.
 */
export function compileTime(test: TimeTest): Condition {
  const clock = wallClock(test.zone);
  const days = new Set(test.days ?? weekdays);
  const [start, end] = test.between?.map(minuteOfDay) ?? [0, 24 * 60];
  const holds = (time: number): Truth => {
    const now = clock(time);
    if (now === undefined) return 'unknown';
    const crossing = start! >= end!;
    if (!crossing) return truthOf(now.minute >= start! && now.minute < end! && days.has(weekdays[now.day]!));
    if (now.minute >= start!) return truthOf(days.has(weekdays[now.day]!));
    return truthOf(now.minute < end! && days.has(weekdays[(now.day + 6) % 7]!));
  };
  return { test: (request) => holds(request.context.time), blame: () => 'time' };
}

/** `08:00`, up to `24:00` -> minutes since midnight; undefined where the text is not a time of day. */
export function parseTimeOfDay(text: string): number | undefined {
  const match = /^([01][0-9]|2[0-4]):([0-5][0-9])$/.exec(text);
  if (match === null) return undefined;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return minutes <= 24 * 60 ? minutes : undefined;
}

/** Whether this Node knows the IANA time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function minuteOfDay(text: string): number {
  const minutes = parseTimeOfDay(text);
  if (minutes === undefined) throw new TypeError('the schema lets only valid times through');
  return minutes;
}

type WallClock = (time: number) => { readonly day: number; readonly minute: number } | undefined;

/** Day of the week (0 is Monday) and minute of the day in a zone. The formatter costs far more to make than to use. */
function wallClock(zone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (time) => {
    if (typeof time !== 'number' || !(Math.abs(time) <= farthestTime)) return undefined;
    let day = -1;
    let minute = 0;
    for (const part of format.formatToParts(time)) {
      if (part.type === 'weekday') day = (weekdays as readonly string[]).indexOf(part.value.toLowerCase());
      else if (part.type === 'hour') minute += Number(part.value) * 60;
      else if (part.type === 'minute') minute += Number(part.value);
    }
    return day < 0 ? undefined : { day, minute };
  };
}
