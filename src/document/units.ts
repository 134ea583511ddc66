import { z } from 'zod';

const byteUnits = new Map([
  ['B', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
  ['kB', 1000],
  ['MB', 1000 ** 2],
  ['GB', 1000 ** 3],
]);

const timeUnits = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const ratePeriods = new Map([
  ['s', 1000],
  ['sec', 1000],
  ['second', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['minute', 60_000],
  ['h', 3_600_000],
  ['hour', 3_600_000],
  ['d', 86_400_000],
  ['day', 86_400_000],
]);

/** Node's timers count in 31 bits of milliseconds: a longer one fires at once. A day-scale bound is far below it. */
const longestDurationMs = 2 ** 31 - 1;

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A size in bytes: a plain number, or text such as `16KiB`, `4MiB`, `1GB`. Units are exact: KiB is 1024, kB is 1000.
 *
 * @param bounds smallest and largest size that is accepted, in bytes
 */
export function bytes(bounds: Bounds = {}) {
  return z
    .union([z.number(), z.string()], { error: sizeExpected })
    .transform((value, context) => {
      const size = typeof value === 'number' ? value : parseBytes(value);
      return within(size, bounds, sizeExpected, (limit) => `${limit} bytes`, context);
    })
    .meta({ title: titleOf('size', bounds, formatBytes) });
}

/**
 * A time span in milliseconds, from text such as `500ms`, `30s`, `5m`, `1h`, `7d`. A bare number is refused, because
 * half its readers take it for seconds and half for milliseconds; `0` alone is unambiguous.
 *
 * @param bounds shortest and longest span that is accepted, in milliseconds
 */
export function duration(bounds: Bounds = {}) {
  return z
    .union([z.string(), z.number()], { error: spanExpected })
    .transform((value, context) => {
      const span = typeof value === 'number' ? (value === 0 ? 0 : undefined) : parseDuration(value);
      return within(
        span,
        { min: bounds.min ?? 0, max: bounds.max ?? longestDurationMs },
        spanExpected,
        (limit) => `${limit}ms`,
        context,
      );
    })
    .meta({ title: titleOf('time span', bounds, formatDuration) });
}

export interface Rate {
  readonly count: number;
  readonly periodMs: number;
}

/** So many in so long: `30/min`, `5/s`, `1000/h`, `100/10s`. */
export function rate() {
  return z
    .string({ error: rateExpected })
    .transform((value, context): Rate => {
      const parsed = parseRate(value);
      if (parsed === undefined) {
        context.addIssue({ code: 'custom', message: rateExpected });
        return z.NEVER;
      }
      return parsed;
    })
    .meta({ title: 'rate' });
}

const sizeExpected = 'expected a size such as 64KiB or 4MiB';
const spanExpected = 'expected a time span with its unit, such as 500ms, 30s, 5m or 1h';
const rateExpected = 'expected a rate such as 30/min, 5/s or 100/10s';

/** Undefined where the text is not a size. */
export function parseBytes(text: string): number | undefined {
  return parseWithUnit(text, byteUnits);
}

/** Milliseconds; undefined where the text is not a time span. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  return parseWithUnit(text, timeUnits);
}

/** Undefined where the text is not a rate. Count and period are at least one. */
export function parseRate(text: string): Rate | undefined {
  const match = /^([1-9][0-9]{0,8}) ?\/ ?(?:([1-9][0-9]{0,5}) ?)?([a-z]+)$/.exec(text);
  const unit = match === null ? undefined : ratePeriods.get(match[3]!);
  if (match === null || unit === undefined) return undefined;
  return { count: Number(match[1]), periodMs: Number(match[2] ?? 1) * unit };
}

/** The bounds in words, for editors and documentation: JSON Schema cannot say them of a text with a unit. */
function titleOf(what: string, { min, max }: Bounds, format: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return `${what}, ${format(min)} to ${format(max)}`;
  if (min !== undefined) return `${what}, at least ${format(min)}`;
  return max === undefined ? what : `${what}, at most ${format(max)}`;
}

/** The size in the largest unit of 1024 that divides it. */
function formatBytes(size: number): string {
  const [unit, factor] = [...byteUnits]
    .filter(([name]) => /^(?:B|.iB)$/.test(name))
    .findLast(([, factor]) => size % factor === 0) ?? ['B', 1];
  return size === 1 ? '1 byte' : `${size / factor}${unit}`;
}

/** The span in the largest unit that divides it. */
function formatDuration(span: number): string {
  const [unit, factor] = [...timeUnits].findLast(([, factor]) => span % factor === 0) ?? ['ms', 1];
  return `${span / factor}${unit}`;
}

function parseWithUnit(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^(0|[1-9][0-9]{0,14}) ?([A-Za-z]*)$/.exec(text);
  if (match === null) return undefined;
  const unit = match[2] === '' && units === byteUnits ? 1 : units.get(match[2]!);
  return unit === undefined ? undefined : Number(match[1]) * unit;
}

function within(
  value: number | undefined,
  bounds: Bounds,
  expected: string,
  show: (limit: number) => string,
  context: z.RefinementCtx,
): number {
  const fail = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  if (value === undefined || !Number.isSafeInteger(value) || value < 0) return fail(expected);
  if (bounds.min !== undefined && value < bounds.min) return fail(`must be at least ${show(bounds.min)}`);
  if (bounds.max !== undefined && value > bounds.max) return fail(`must be at most ${show(bounds.max)}`);
  return value;
}
