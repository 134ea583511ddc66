import type { ErrorCode } from '../errors.ts';
import { type Steps, stepSize } from '../values/steps.ts';
import {
  depthCeiling,
  forgetKeys,
  idKey,
  type KeyMemory,
  keyTrait,
  protoKey,
  putKeys,
  repeatedKey,
  scanKey,
  startKeys,
  takeKeys,
} from './scan-keys.ts';
import { createWalk, type MessageSpan, type Walk } from './scan-state.ts';
import {
  badEscape,
  forgetStrings,
  loneSurrogate,
  putStrings,
  type StringMemory,
  scanString,
  startStrings,
  stopped,
  stoppedAt,
  takeStrings,
} from './scan-string.ts';

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
  /** The outermost value, or each element of the outermost array; whether it is an object at all is not said. */
  readonly messages: readonly MessageSpan[];
}

export type { MessageSpan } from './scan-state.ts';

export interface ScanFailure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly offset: number;
  readonly detail: string;
}

/** No double needs more: the longest exact one has 767 significant digits. */
const maxNumberLength = 1000;
const quote = 0x22;

// Scratch space. A scan is synchronous and calls nothing that could scan again.
const kinds = new Uint8Array(depthCeiling + 2);
const counts = new Int32Array(depthCeiling + 2);
const objectKind = 1;
const arrayKind = 2;

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
    startStrings();
    return walk(bytes, limits, maxDepth, createWalk(), bytes.length) as Scan | ScanFailure;
  } finally {
    forgetKeys();
    forgetStrings();
  }
}

/** As `scan`, with places to stop. Between them other bodies may be scanned. */
export function* scanSteps(bytes: Buffer, limits: DecodeLimits): Steps<Scan | ScanFailure> {
  const maxDepth = Math.min(limits.maxDepth, depthCeiling);
  const state = createWalk();
  let strings: StringMemory | undefined;
  let keys: KeyMemory | undefined;
  for (;;) {
    if (strings === undefined) startStrings();
    else putStrings(strings);
    if (keys !== undefined) putKeys(keys);
    kinds.set(state.kinds);
    counts.set(state.counts);
    let found: Scan | ScanFailure | undefined;
    try {
      found = walk(bytes, limits, maxDepth, state, Math.max(state.position, state.resumeAt) + stepSize);
    } finally {
      state.kinds = kinds.slice(0, state.depth + 1);
      state.counts = counts.slice(0, state.depth + 1);
      keys = takeKeys(state.depth);
      strings = takeStrings();
    }
    if (found !== undefined) return found;
    yield;
  }
}

/** @returns undefined where `stop` was reached: `state` then says how to go on */
function walk(
  bytes: Buffer,
  limits: DecodeLimits,
  maxDepth: number,
  state: Walk,
  stop: number,
): Scan | ScanFailure | undefined {
  const length = bytes.length;
  const { maxNodes, maxStringBytes, maxArrayLength, maxKeysPerObject } = limits;
  const { messages } = state;
  let { message, messageDepth, batch, exact, position, resumeAt } = state;
  let { depth, nodes, kind, expectKey, idNext } = state;

  while (position < length) {
    if (position >= stop) break;
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
      startKeys(depth);
      expectKey = kind === objectKind;
      idNext = false;
      position++;
      continue;
    }

    if (byte === quote) {
      const end = scanString(bytes, resumeAt === -1 ? position + 1 : resumeAt, stop);
      resumeAt = -1;
      if (end === stopped) {
        // Counted when the scan comes back to it.
        nodes -= 1;
        if (kind === arrayKind) counts[depth]! -= 1;
        resumeAt = stoppedAt;
        break;
      }
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
  if (position < length) {
    Object.assign(state, { message, messageDepth, batch, exact, position, resumeAt });
    Object.assign(state, { depth, nodes, kind, expectKey, idNext });
    return undefined;
  }
  if (depth !== 0) return failure('json-invalid', length, 'the text ends too early');
  return { ok: true, batch, exact, messages };
}

function stringFailure(reason: number, offset: number): ScanFailure {
  if (reason === loneSurrogate) return failure('json-lone-surrogate', offset, 'half a surrogate pair');
  return failure('json-invalid', offset, reason === badEscape ? 'a bad escape' : 'a string does not end');
}

function failure(code: ErrorCode, offset: number, detail: string): ScanFailure {
  return { ok: false, code, offset, detail };
}
