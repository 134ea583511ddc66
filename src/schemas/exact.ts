import { isExactNumber, type JsonObject, type JsonValue } from '../values/json.ts';

/** A number as it can be compared: a double, or a whole number that a double cannot hold. */
export type Numeric = number | bigint;

/** The number that a value is; undefined where it is none. */
export function toNumeric(value: JsonValue | undefined): Numeric | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null || !isExactNumber(value)) return undefined;
  return BigInt(value.rawJSON);
}

/** Whether a number has no fraction: `1.0` and `1e3` have none (2020-12 validation, section 6.1.1). */
export function isWhole(value: Numeric): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/**
 * A text that is the same for two values exactly where JSON Schema calls them equal: neither the order of keys nor the
 * way in which a number was written counts (2020-12 core, section 4.2.2).
 */
export function canonicalText(value: JsonValue): string {
  const numeric = toNumeric(value);
  if (numeric !== undefined) return isWhole(numeric) ? BigInt(numeric).toString() : String(numeric);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonicalText).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .filter((name) => object[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalText(object[name]!)}`);
  return `{${members.join(',')}}`;
}

/** Whether a number is a whole multiple of another, in decimals as both are written: 19.99 is one of 0.01. */
export function isMultiple(value: Numeric, of: Numeric): boolean {
  const [digits, exponent] = decimal(value);
  const [divisor, divisorExponent] = decimal(of);
  const least = Math.min(exponent, divisorExponent);
  const scaled = divisor * 10n ** BigInt(divisorExponent - least);
  return scaled !== 0n && (digits * 10n ** BigInt(exponent - least)) % scaled === 0n;
}

/** Digits and a power of ten. Exponents of doubles stay below 400, and so does the cost. */
function decimal(value: Numeric): readonly [digits: bigint, exponent: number] {
  if (typeof value === 'bigint') return [value, 0];
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
}
