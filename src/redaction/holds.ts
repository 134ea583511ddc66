import { isExactNumber, type JsonValue } from '../values/json.ts';
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
