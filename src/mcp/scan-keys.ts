import { badEscape, scanString, unterminated } from './scan-string.ts';

/** JSON.stringify throws near 5000 levels, whatever an operator configures. */
export const depthCeiling = 1000;
/** Up to so many keys, comparing hashes one by one beats building a Set. */
const linearKeys = 16;
const quote = 0x22;
const backslash = 0x5c;

// The keys of every open object, in slots by depth. A scan is synchronous and calls nothing that could scan again.
const hashes = new Int32Array((depthCeiling + 2) * linearKeys);
const starts = new Int32Array((depthCeiling + 2) * linearKeys);
const ends = new Int32Array((depthCeiling + 2) * linearKeys);
/** Keys that were written with escapes, by slot; their slot's `starts` is -1. Undefined while there are none. */
let decodedKeys: Map<number, string> | undefined;
/** Keys of objects that have many, by depth. Undefined while there are none. */
let keySets: Map<number, Set<string>> | undefined;

export const plainKey = 0;
export const idKey = 1;
export const protoKey = 2;
export const repeatedKey = 3;
/** What scanKey noticed about the key it read last. */
export let keyTrait = plainKey;

/**
 * Reads one key, compares it after unescaping with the keys that its object already has, and remembers it.
 *
 * @param start first byte after the opening quote
 * @param nth how many keys the object already has
 * @returns position of the closing quote, or a negative reason
 */
export function scanKey(bytes: Buffer, start: number, depth: number, nth: number): number {
  const length = bytes.length;
  let hash = 0;
  let end = start;
  let escaped: string | undefined;
  for (; end < length; end++) {
    const byte = bytes[end]!;
    if (byte === quote) break;
    if (byte === backslash) {
      end = scanString(bytes, start);
      if (end < 0) return end;
      const text = unescapeKey(bytes, start, end);
      if (text === undefined) return badEscape;
      escaped = text;
      hash = 0;
      for (let index = 0; index < text.length; index++)
        hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
      break;
    }
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (end >= length) return unterminated;

  keyTrait = plainKey;
  if (escaped === undefined ? isProto(bytes, start, end) : escaped === '__proto__') {
    keyTrait = protoKey;
    return end;
  }
  const isId =
    escaped === undefined
      ? end - start === 2 && bytes[start] === 0x69 && bytes[start + 1] === 0x64
      : escaped === 'id';
  if (isId) keyTrait = idKey;

  if (nth < linearKeys) {
    const base = depth * linearKeys;
    const slot = base + nth;
    for (let index = base; index < slot; index++) {
      if (hashes[index] !== hash) continue;
      if (keyAt(bytes, index) === (escaped ?? bytes.toString('latin1', start, end))) {
        keyTrait = repeatedKey;
        return end;
      }
    }
    hashes[slot] = hash;
    starts[slot] = start;
    ends[slot] = end;
    if (escaped !== undefined) {
      starts[slot] = -1;
      decodedKeys ??= new Map();
      decodedKeys.set(slot, escaped);
    }
    return end;
  }

  const set = keySets?.get(depth) ?? collectKeys(bytes, depth);
  const text = escaped ?? bytes.toString('latin1', start, end);
  if (set.has(text)) keyTrait = repeatedKey;
  else set.add(text);
  return end;
}

function keyAt(bytes: Buffer, slot: number): string | undefined {
  const start = starts[slot]!;
  return start === -1 ? decodedKeys?.get(slot) : bytes.toString('latin1', start, ends[slot]);
}

function collectKeys(bytes: Buffer, depth: number): Set<string> {
  const set = new Set<string>();
  for (let slot = depth * linearKeys; slot < (depth + 1) * linearKeys; slot++) {
    const key = keyAt(bytes, slot);
    if (key !== undefined) set.add(key);
  }
  keySets ??= new Map();
  keySets.set(depth, set);
  return set;
}

function isProto(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 9 && bytes[start] === 0x5f && bytes.toString('latin1', start, end) === '__proto__';
}

/** The key's UTF-8 bytes after unescaping, one character per byte, so that both spellings of a key compare equal. */
function unescapeKey(bytes: Buffer, start: number, end: number): string | undefined {
  try {
    const text: unknown = JSON.parse(bytes.toString('utf8', start - 1, end + 1));
    return typeof text === 'string' ? Buffer.from(text, 'utf8').toString('latin1') : undefined;
  } catch {
    return undefined;
  }
}

/** An object has opened at this depth: what another one had there is forgotten. */
export function startKeys(depth: number): void {
  if (keySets !== undefined) keySets.delete(depth);
}

/** Keys are peers' text: nothing of one body may stay reachable after it. */
export function forgetKeys(): void {
  decodedKeys = undefined;
  keySets = undefined;
}
