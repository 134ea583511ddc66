import { type ExactNumber, isExactNumber, type JsonValue } from '../values/json.ts';

export type AnyNumber = number | ExactNumber;

export function isNumber(value: JsonValue | undefined): value is AnyNumber {
  return typeof value === 'number' || isExactNumber(value);
}

/** Compares by value, never by a rounded one: 9007199254740993 is greater than 9007199254740992. */
export function isGreater(a: AnyNumber, b: AnyNumber): boolean {
  return toOrdered(a) > toOrdered(b);
}

/** JavaScript compares a bigint with a number exactly. */
function toOrdered(value: AnyNumber): number | bigint {
  if (typeof value === 'number') return value;
  return toWhole(value) ?? Number(value.rawJSON);
}

/** The whole number that a value is; undefined where it is none. `1.0` is: JSON knows one kind of number. */
export function toWhole(value: AnyNumber): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return /^-?\d+$/.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}
