import { createHash } from 'node:crypto';
import { isExactNumber, isJsonObject, type JsonValue, own } from '../values/json.ts';

/** JSON without white space, members ordered by the code units of their names. Equal values give equal texts. */
export function canonicalText(value: JsonValue): string {
  return JSON.stringify(ordered(value));
}

/** First 16 hex digits of the SHA-256 of the canonical JSON: tells whether two values are one, and not which. */
export function valueHash(value: JsonValue): string {
  return createHash('sha256').update(canonicalText(value), 'utf8').digest('hex').slice(0, 16);
}

function ordered(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(ordered);
  if (!isJsonObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(value).sort()) copy[key] = ordered(own(value, key) ?? null);
  return copy;
}
