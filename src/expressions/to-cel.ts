import { isExactNumber, isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Binding } from './expression.ts';
import type { Reads } from './reads.ts';

/**
 * Stands for a list or an object that is too large or too deep to be looked at. The evaluator knows no such type, so
 * whatever looks at it fails, and the expression is neither true nor false.
 */
class Unread {}

/** Values that one test converts. 10,000, because that many cost about a millisecond. */
const mostValues = 10_000;

/**
 * How deep a value may be that is looked at as a whole. 8, because the evaluator keeps one type for each shape that it
 * has seen, and the shapes that a stranger could make it keep double with each level.
 */
const deepest = 8;

/** Digits of a number. 400, because a double has 309, and reading digits costs more than linear time. */
const mostDigits = 400;

/** How much was looked at in one test. */
export interface Tally {
  values: number;
  /** UTF-16 units of the longest text, or elements of the longest list. */
  largest: number;
}

/**
 * A JSON value as the evaluator takes it, as far as `reads` says that it is looked at.
 *
 * Objects become maps: a stranger's key such as `constructor` or `__proto__` meets no prototype. Integers become
 * BigInt, exact in every size; other numbers stay doubles.
 */
export function toCel(value: Binding, reads: Reads, tally: Tally): unknown {
  if (value instanceof Date) return value;
  if (reads.whole) return convert(value, deepest, tally);
  // Only whether it is there is asked.
  if (reads.members.size === 0) return true;
  if (!isJsonObject(value)) return new Unread();
  const members = new Map<string, unknown>();
  for (const [name, below] of reads.members) {
    const member = own(value, name);
    if (member !== undefined) members.set(name, toCel(member, below, tally));
  }
  return members;
}

function convert(value: Binding, depth: number, tally: Tally): unknown {
  tally.values += 1;
  if (value instanceof Date) return value;
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case 'string':
      tally.largest = Math.max(tally.largest, value.length);
      return value;
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (isExactNumber(value)) return exact(value.rawJSON);
  if (Array.isArray(value)) {
    if (!mayRead(value.length, depth, tally)) return new Unread();
    return (value as readonly JsonValue[]).map((element) => convert(element, depth - 1, tally));
  }
  const object = value as JsonObject;
  const keys = Object.keys(object);
  if (!mayRead(keys.length, depth, tally)) return new Unread();
  const map = new Map<string, unknown>();
  for (const key of keys) {
    const member = own(object, key);
    tally.largest = Math.max(tally.largest, key.length);
    if (member !== undefined) map.set(key, convert(member, depth - 1, tally));
  }
  return map;
}

function mayRead(size: number, depth: number, tally: Tally): boolean {
  if (depth === 0 || tally.values + size > mostValues) return false;
  tally.largest = Math.max(tally.largest, size);
  return true;
}

function exact(text: string): unknown {
  if (text.length > mostDigits) return new Unread();
  return /^-?[0-9]+$/.test(text) ? BigInt(text) : Number(text);
}
