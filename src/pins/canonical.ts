import { createHash } from 'node:crypto';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';

/**
 * One text for each JSON value, whatever the order of its keys (after RFC 8785: keys sorted by UTF-16 code units, no
 * white space, numbers in their shortest form).
 *
 * Unlike RFC 8785, numbers keep all they are: an integer beyond 2^53 is written with its own digits, and a double of
 * that size with an exponent, so that no two numbers share a text.
 */
export function canonicalJson(value: JsonValue): string {
  if (isExactNumber(value)) return value.rawJSON;
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonicalJson).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .sort()
      .flatMap((key) => {
        const member = value[key];
        return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(member)}`];
      });
    return `{${members.join(',')}}`;
  }
  return typeof value === 'number' ? numberText(value) : JSON.stringify(value);
}

/** JSON text of a double. Digits alone mean an exact integer. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError('not a JSON number');
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? value.toExponential()
    : JSON.stringify(value);
}

/** `sha256:` and 64 hexadecimal digits over the canonical text of a value. */
export function hashOf(value: JsonValue): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value), 'utf8').digest('hex')}`;
}

const hashes = new WeakMap<JsonObject, string>();

/** {@link hashOf} of an object that nobody changes any more, computed once. */
export function definitionHash(definition: JsonObject): string {
  const known = hashes.get(definition);
  if (known !== undefined) return known;
  const hash = hashOf(definition);
  hashes.set(definition, hash);
  return hash;
}
