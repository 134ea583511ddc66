import { isExactNumber, type JsonValue } from '../values/json.ts';
import { type Steps, stepSize } from '../values/steps.ts';
import { jsonUnescaped, percentDecoded } from './encoded.ts';
import type { Needles } from './needles.ts';

/**
 * Whether a held secret stands in any text, key or number of a value: as it is, JSON-escaped, in base64 of either
 * alphabet and any alignment, or URL-encoded once. Finds no other secrets, and costs little: every message is asked.
 */
export function holdsSecret(value: JsonValue, needles: Needles): boolean {
  if (needles.texts.length === 0) return false;
  if (typeof value === 'string') return textHolds(value, needles);
  if (typeof value === 'number') return textHolds(String(value), needles);
  if (typeof value !== 'object' || value === null) return false;
  if (isExactNumber(value)) return textHolds(value.rawJSON, needles);
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) if (holdsSecret(item, needles)) return true;
    return false;
  }
  for (const key of Object.keys(value)) {
    if (textHolds(key, needles)) return true;
    const member = (value as Readonly<Record<string, JsonValue | undefined>>)[key];
    if (member !== undefined && holdsSecret(member, needles)) return true;
  }
  return false;
}

/** As `holdsSecret`, with places to stop. */
export function* holdsSecretSteps(value: JsonValue, needles: Needles): Steps<boolean> {
  if (needles.texts.length === 0) return false;
  // Depth first, as a list of its own: a generator within a generator for each value would cost more than the search.
  const left: JsonValue[] = [value];
  let read = 0;
  while (left.length > 0) {
    const next = left.pop()!;
    if (typeof next === 'object' && next !== null && !isExactNumber(next)) {
      if (Array.isArray(next)) for (const item of next as readonly JsonValue[]) left.push(item);
      else {
        for (const [key, member] of Object.entries(next)) {
          left.push(key);
          if (member !== undefined) left.push(member);
        }
      }
    } else if (typeof next === 'string' && next.length > stepSize) {
      if (yield* longTextHolds(next, needles)) return true;
    } else {
      if (holdsSecret(next, needles)) return true;
      read += 64 + (typeof next === 'string' ? next.length : 0);
    }
    if (read < stepSize) continue;
    read = 0;
    yield;
  }
  return false;
}

/** Escapes are resolved in pieces that share the length of the longest secret as it may be spelt. */
function* longTextHolds(text: string, needles: Needles): Steps<boolean> {
  let longest = 0;
  for (const needle of needles.texts) {
    if (text.includes(needle.text)) return true;
    longest = Math.max(longest, needle.text.length);
    yield;
  }
  if (!text.includes('\\') && !text.includes('%')) return false;
  for (let start = 0; start < text.length; start += stepSize) {
    if (textHolds(text.slice(start, start + stepSize + 6 * longest), needles)) return true;
    yield;
  }
  return false;
}

function textHolds(text: string, needles: Needles): boolean {
  if (text.length < needles.shortest) return false;
  for (const needle of needles.texts) if (text.includes(needle.text)) return true;
  if (text.includes('\\')) {
    const unescaped = jsonUnescaped(text);
    for (const needle of needles.texts) if (unescaped.includes(needle.text)) return true;
  }
  if (!text.includes('%')) return false;
  const bytes = percentDecoded(text);
  for (const needle of needles.bytes) if (bytes.includes(needle.text)) return true;
  return false;
}
