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
  return unescapeAscii(bytes, start, end) ?? unescapeAny(bytes, start, end);
}

/** ASCII written with `\\u00XX` alone, which is what keys are disguised with: without a parser for each of 100 000 keys. */
function unescapeAscii(bytes: Buffer, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start; at < end; ) {
    const byte = bytes[at]!;
    if (byte !== backslash) {
      if (byte < 0x20 || byte > 0x7e) return undefined;
      text += String.fromCharCode(byte);
      at += 1;
      continue;
    }
    if (bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x30 || bytes[at + 3] !== 0x30) return undefined;
    const high = hexDigit(bytes[at + 4]!);
    const low = hexDigit(bytes[at + 5]!);
    if (high < 0 || high > 7 || low < 0) return undefined;
    text += String.fromCharCode(high * 16 + low);
    at += 6;
  }
  return text;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function unescapeAny(bytes: Buffer, start: number, end: number): string | undefined {
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

/** The keys of all objects that are open, for a scan that goes on later. */
export interface KeyMemory {
  readonly hashes: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly decodedKeys: Map<number, string> | undefined;
  readonly keySets: Map<number, Set<string>> | undefined;
}

/** Takes what is remembered out, down to this depth. */
export function takeKeys(depth: number): KeyMemory {
  const end = (depth + 1) * linearKeys;
  const taken = {
    hashes: hashes.slice(0, end),
    starts: starts.slice(0, end),
    ends: ends.slice(0, end),
    decodedKeys,
    keySets,
  };
  forgetKeys();
  return taken;
}

/** Puts it back. */
export function putKeys(memory: KeyMemory): void {
  hashes.set(memory.hashes);
  starts.set(memory.starts);
  ends.set(memory.ends);
  ({ decodedKeys, keySets } = memory);
}
