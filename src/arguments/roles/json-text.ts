import { isExactNumber, type JsonValue, toExactNumber } from '../../values/json.ts';

export interface JsonTextLimits {
  readonly maxDepth: number;
  readonly maxValues: number;
}

export type JsonTextFault =
  | 'not-json'
  | 'too-deep'
  | 'too-many-values'
  | 'repeated-key'
  | 'forbidden-key'
  | 'not-a-number'
  | 'half-character';

export type ParsedJsonText =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly fault: JsonTextFault };

/**
 * Parses JSON as strictly as a message is decoded: what two parsers could read as two values is refused. Whole numbers
 * beyond 2^53 keep their digits.
 */
export function parseJsonText(text: string, limits: JsonTextLimits): ParsedJsonText {
  const scan = scanText(text, limits.maxDepth);
  if (scan === undefined) return { ok: false, fault: 'too-deep' };
  let value: JsonValue;
  try {
    value = scan.longNumber ? JSON.parse(text, keepExact) : (JSON.parse(text) as JsonValue);
  } catch {
    return { ok: false, fault: 'not-json' };
  }
  const tally: Tally = { values: 0, members: 0, fault: undefined };
  count(value, limits.maxValues, tally);
  if (tally.fault !== undefined) return { ok: false, fault: tally.fault };
  // JSON.parse keeps the last of two members with one name; another parser keeps the first.
  return tally.members === scan.members ? { ok: true, value } : { ok: false, fault: 'repeated-key' };
}

function keepExact(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return source !== undefined && /^-?\d+$/.test(source) ? toExactNumber(source) : value;
}

/** Members as they are written, by their colons. Exact where the text is JSON. Undefined where it is nested too deeply. */
function scanText(
  text: string,
  maxDepth: number,
): { readonly members: number; readonly longNumber: boolean } | undefined {
  let depth = 0;
  let members = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index += 1;
      else if (unit === 0x22) inString = false;
      continue;
    }
    if (unit === 0x22) inString = true;
    else if (unit === 0x3a) members += 1;
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
      if (depth > maxDepth) return undefined;
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return { members, longNumber: /\d{16}/.test(text) };
}

interface Tally {
  values: number;
  members: number;
  fault: JsonTextFault | undefined;
}

/** Depth is bounded before. */
function count(value: JsonValue, maxValues: number, tally: Tally): void {
  tally.values += 1;
  if (tally.values > maxValues) tally.fault ??= 'too-many-values';
  if (tally.fault !== undefined) return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) tally.fault = 'half-character';
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) tally.fault = 'not-a-number';
  } else if (Array.isArray(value)) {
    for (const element of value as readonly JsonValue[]) count(element, maxValues, tally);
  } else if (typeof value === 'object' && value !== null && !isExactNumber(value)) {
    for (const [key, member] of Object.entries(value)) {
      tally.members += 1;
      if (key === '__proto__') tally.fault = 'forbidden-key';
      else if (!key.isWellFormed()) tally.fault = 'half-character';
      count(member as JsonValue, maxValues, tally);
    }
  }
}
