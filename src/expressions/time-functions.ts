import type { Stand } from './functions.ts';

/** Types of members that are moments. */
export const timestampType = 'google.protobuf.Timestamp';

/**
 * What expressions over moments may use, in UTC only: the package takes other zones by way of the machine's own, so that
 * one policy would mean two things.
 */
export const timeFunctions: ReadonlyMap<string, Stand> = new Map<string, Stand>([
  ['timestamp/1', ([text]) => toMoment(text)],
  ['getFullYear/1', ([value]) => BigInt(moment(value).getUTCFullYear())],
  ['getMonth/1', ([value]) => BigInt(moment(value).getUTCMonth())],
  ['getDate/1', ([value]) => BigInt(moment(value).getUTCDate())],
  ['getDayOfMonth/1', ([value]) => BigInt(moment(value).getUTCDate() - 1)],
  ['getDayOfWeek/1', ([value]) => BigInt(moment(value).getUTCDay())],
  ['getHours/1', ([value]) => BigInt(moment(value).getUTCHours())],
  ['getMinutes/1', ([value]) => BigInt(moment(value).getUTCMinutes())],
  ['getSeconds/1', ([value]) => BigInt(moment(value).getUTCSeconds())],
]);

/** RFC 3339 with its offset: without one, the text would mean the machine's zone. */
function toMoment(text: unknown): Date {
  if (typeof text !== 'string' || !rfc3339.test(text)) throw new TypeError('not a timestamp');
  return moment(new Date(text));
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function moment(value: unknown): Date {
  if (value instanceof Date && Number.isFinite(value.getTime())) return value;
  throw new TypeError('not a moment');
}
