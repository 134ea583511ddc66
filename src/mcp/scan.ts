import type { ErrorCode } from '../errors.ts';

/** Bounds of what the decoder accepts. Everything over a bound is refused, never inspected in part. */
export interface DecodeLimits {
  /** Nesting of objects and arrays; the outermost counts as 1. Values above 1000 count as 1000. */
  readonly maxDepth: number;
  /** Values in one body: objects, arrays, strings, numbers, literals. Keys do not count. */
  readonly maxNodes: number;
  /** Bytes of one string or key as it is written, without its quotes. */
  readonly maxStringBytes: number;
  /** Elements of one array. */
  readonly maxArrayLength: number;
  /** Keys of one object. */
  readonly maxKeysPerObject: number;
  /** Messages of one batch. */
  readonly maxBatch: number;
}

/** What one pass over a body found, apart from the values themselves. */
export interface Scan {
  readonly ok: true;
  /** The outermost value is an array. */
  readonly batch: boolean;
  /** Some integer lies beyond 2^53: plain JSON.parse would round it. */
  readonly exact: boolean;
  /** The outermost object, or each element of the outermost array. Empty where the outermost value is a scalar. */
  readonly messages: readonly MessageSpan[];
}

export interface MessageSpan {
  readonly start: number;
  end: number;
  /** The text of the value of the message's own `id` key; both -1 where it has none or it is no scalar. */
  idStart: number;
  idEnd: number;
}

export interface ScanFailure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly offset: number;
  readonly detail: string;
}

/** JSON.stringify throws near 5000 levels, whatever an operator configures. */
const depthCeiling = 1000;
/** No double needs more: the longest exact one has 767 significant digits. */
const maxNumberLength = 1000;
/** Up to so many keys, comparing hashes one by one beats building a Set. */
const linearKeys = 16;
/** After so many bytes without a quote, the engine's own search is faster than a loop. */
const nativeSearchAfter = 96;

const quote = 0x22;
const backslash = 0x5c;

// Scratch space. A scan is synchronous and calls nothing that could scan again.
const kinds = new Uint8Array(depthCeiling + 2);
const counts = new Int32Array(depthCeiling + 2);
const hashes = new Int32Array((depthCeiling + 2) * linearKeys);
const starts = new Int32Array((depthCeiling + 2) * linearKeys);
const ends = new Int32Array((depthCeiling + 2) * linearKeys);
/** Keys that were written with escapes, by slot; their slot's `starts` is -1. Undefined while there are none. */
let decodedKeys: Map<number, string> | undefined;
/** Keys of objects that have many, by depth. Undefined while there are none. */
let keySets: Map<number, Set<string>> | undefined;

// Positions of the next quote and backslash, remembered over strings: searching anew for each string would
// make a body of many strings cost the square of its length.
let quoteAt = -1;
let backslashAt = -1;

const objectKind = 1;
const arrayKind = 2;

const unterminated = -1;
const loneSurrogate = -2;
const badEscape = -3;

/**
 * Reads a body once, before any value is built, and finds whatever `JSON.parse` hides or does not bound: repeated
 * keys, `__proto__`, halves of surrogate pairs, infinite and inexact numbers, and everything over a limit.
 *
 * It does not prove the grammar. For text that is JSON its reading is exact; for other text it may answer anything,
 * but it always ends and never throws, and the `JSON.parse` that must follow refuses.
 *
 * @param bytes valid UTF-8, without byte order mark
 */
export function scan(bytes: Buffer, limits: DecodeLimits): Scan | ScanFailure {
  const maxDepth = Math.min(limits.maxDepth, depthCeiling);
  try {
    return walk(bytes, limits, maxDepth);
  } finally {
    // Keys are peers' text: nothing of one frame may stay reachable after it.
    decodedKeys = undefined;
    keySets = undefined;
  }
}

function walk(bytes: Buffer, limits: DecodeLimits, maxDepth: number): Scan | ScanFailure {
  const length = bytes.length;
  const { maxNodes, maxStringBytes, maxArrayLength, maxKeysPerObject } = limits;
  const messages: MessageSpan[] = [];
  let message: MessageSpan | undefined;
  let messageDepth = 1;
  let batch = false;
  let exact = false;
  let position = 0;
  let depth = 0;
  let nodes = 0;
  let kind = 0;
  let expectKey = false;
  let idNext = false;
  quoteAt = -1;
  backslashAt = -1;

  while (position < length) {
    const byte = bytes[position]!;
    if (byte === quote && expectKey) {
      const start = position + 1;
      const key = scanKey(bytes, start, depth, counts[depth]!);
      if (key < 0) return stringFailure(key, position);
      if (key - start > maxStringBytes) return failure('json-string-too-long', position, 'a key is too long');
      if (keyTrait === protoKey) return failure('json-forbidden-key', position, '__proto__');
      if (keyTrait === repeatedKey) return failure('json-repeated-key', position, 'a key is repeated');
      const count = counts[depth]! + 1;
      if (count > maxKeysPerObject) return failure('json-too-many-keys', position, 'too many keys');
      counts[depth] = count;
      idNext = keyTrait === idKey && depth === messageDepth;
      expectKey = false;
      // What follows a key is nearly always its colon.
      position = bytes[key + 1] === 0x3a ? key + 2 : key + 1;
      continue;
    }
    if (byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
      position++;
      continue;
    }
    if (byte === 0x2c) {
      if (depth === 0) return failure('json-invalid', position, 'a comma outside any container');
      expectKey = kind === objectKind;
      position++;
      continue;
    }
    if (byte === 0x3a) {
      expectKey = false;
      position++;
      continue;
    }

    if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0 || kind !== (byte === 0x7d ? objectKind : arrayKind)) {
        return failure('json-invalid', position, 'a bracket closes nothing');
      }
      depth--;
      kind = depth === 0 ? 0 : kinds[depth]!;
      expectKey = false;
      position++;
      if (message !== undefined && depth === messageDepth - 1) {
        message.end = position;
        message = undefined;
      }
      continue;
    }

    // Anything else begins a value.
    if (++nodes > maxNodes) return failure('json-too-many-nodes', position, 'too many values');
    if (kind === arrayKind) {
      const count = counts[depth]! + 1;
      if (batch && depth === 1) {
        if (count > limits.maxBatch)
          return failure('batch-invalid', position, 'too many messages in a batch');
      } else if (count > maxArrayLength) {
        return failure('json-array-too-long', position, 'too many elements');
      }
      counts[depth] = count;
    }
    const isMessage = depth === messageDepth - 1;
    const start = position;

    if (byte === 0x7b || byte === 0x5b) {
      if (depth === 0 && byte === 0x5b) {
        batch = true;
        messageDepth = 2;
      } else if (isMessage) {
        message = { start, end: length, idStart: -1, idEnd: -1 };
        messages.push(message);
      }
      if (++depth > maxDepth) return failure('json-too-deep', position, 'nested too deeply');
      kind = byte === 0x7b ? objectKind : arrayKind;
      kinds[depth] = kind;
      counts[depth] = 0;
      if (keySets !== undefined) keySets.delete(depth);
      expectKey = kind === objectKind;
      idNext = false;
      position++;
      continue;
    }

    if (byte === quote) {
      const end = scanString(bytes, position + 1);
      if (end < 0) return stringFailure(end, position);
      if (end - position - 1 > maxStringBytes) {
        return failure('json-string-too-long', position, 'a string is too long');
      }
      position = end + 1;
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      position++;
      let whole = true;
      while (position < length) {
        const next = bytes[position]!;
        if (next >= 0x30 && next <= 0x39) position++;
        else if (next === 0x2e || next === 0x65 || next === 0x45 || next === 0x2b || next === 0x2d) {
          whole = false;
          position++;
        } else break;
      }
      // Up to 15 characters without an exponent are always finite and, if whole, always safe.
      if (position - start > 15 || !whole) {
        if (position - start > maxNumberLength) return failure('json-number', start, 'a number is too long');
        const value = Number(bytes.toString('latin1', start, position));
        if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
          return failure('json-number', start, 'a number is not finite');
        }
        if (whole && !Number.isSafeInteger(value)) exact = true;
      }
    } else if (byte === 0x74 || byte === 0x6e) {
      position += 4;
    } else if (byte === 0x66) {
      position += 5;
    } else {
      return failure('json-invalid', position, 'a byte that begins no JSON value');
    }

    // A scalar has ended.
    expectKey = false;
    if (isMessage) messages.push({ start, end: position, idStart: -1, idEnd: -1 });
    else if (idNext && message !== undefined) {
      message.idStart = start;
      message.idEnd = position;
    }
    idNext = false;
  }
  if (depth !== 0) return failure('json-invalid', length, 'the text ends too early');
  return { ok: true, batch, exact, messages };
}

const plainKey = 0;
const idKey = 1;
const protoKey = 2;
const repeatedKey = 3;
/** What scanKey noticed about the key it read last. */
let keyTrait = plainKey;

/**
 * Reads one key, compares it after unescaping with the keys that its object already has, and remembers it.
 *
 * @param start first byte after the opening quote
 * @param nth how many keys the object already has
 * @returns position of the closing quote, or a negative reason
 */
function scanKey(bytes: Buffer, start: number, depth: number, nth: number): number {
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

/**
 * Finds the end of a string and checks its `\u` escapes for halves of surrogate pairs.
 *
 * @param from first byte after the opening quote
 * @returns position of the closing quote, or a negative reason
 */
function scanString(bytes: Buffer, from: number): number {
  const length = bytes.length;
  let position = from;
  let patience = nativeSearchAfter;
  while (position < length) {
    const byte = bytes[position]!;
    if (byte === quote) return position;
    if (byte === backslash) {
      if (bytes[position + 1] !== 0x75) {
        position += 2;
        continue;
      }
      const unit = hexUnit(bytes, position + 2);
      if (unit < 0) return badEscape;
      position += 6;
      if (unit >= 0xd800 && unit <= 0xdfff) {
        if (unit >= 0xdc00) return loneSurrogate;
        if (bytes[position] !== backslash || bytes[position + 1] !== 0x75) return loneSurrogate;
        const low = hexUnit(bytes, position + 2);
        if (low < 0xdc00 || low > 0xdfff) return loneSurrogate;
        position += 6;
      }
      continue;
    }
    position++;
    if (--patience === 0) {
      patience = nativeSearchAfter;
      if (quoteAt < position) quoteAt = find(bytes, quote, position);
      if (backslashAt < position) backslashAt = find(bytes, backslash, position);
      position = Math.min(quoteAt, backslashAt);
    }
  }
  return unterminated;
}

function find(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at === -1 ? bytes.length : at;
}

/** Four hex digits as a number, or -1. */
function hexUnit(bytes: Buffer, at: number): number {
  let unit = 0;
  for (let index = at; index < at + 4; index++) {
    const byte = bytes[index];
    if (byte === undefined) return -1;
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
    else if (byte >= 0x61 && byte <= 0x66) unit = unit * 16 + byte - 0x57;
    else if (byte >= 0x41 && byte <= 0x46) unit = unit * 16 + byte - 0x37;
    else return -1;
  }
  return unit;
}

function stringFailure(reason: number, offset: number): ScanFailure {
  if (reason === loneSurrogate) return failure('json-lone-surrogate', offset, 'half a surrogate pair');
  return failure('json-invalid', offset, reason === badEscape ? 'a bad escape' : 'a string does not end');
}

function failure(code: ErrorCode, offset: number, detail: string): ScanFailure {
  return { ok: false, code, offset, detail };
}
