import { isUtf8 } from 'node:buffer';
import { type JsonValue, toExactNumber } from '../values/json.ts';
import { finishInTurns, type Steps } from '../values/steps.ts';
import { toFrame } from './envelope.ts';
import { type Decoded, decoded, failed } from './failure.ts';
import type { Direction, MessageFrame, RequestId } from './frame.ts';
import { parseSteps } from './parse-steps.ts';
import { claimsModernRevision } from './revision.ts';
import { type DecodeLimits, type MessageSpan, type Scan, scan, scanSteps } from './scan.ts';

export type { Decoded, DecodeFailure } from './failure.ts';
export type { DecodeLimits } from './scan.ts';

/** Each bound with its because. */
export const defaultDecodeLimits: DecodeLimits = Object.freeze({
  // Real tool schemas and arguments stay below 20; recursion in servers behind the gate gets unsafe near 1000.
  maxDepth: 64,
  // 100 000 values take some 10 MB once built: the most that one body may cost.
  maxNodes: 100_000,
  // 4 MiB, the body limit of the official SDKs: no client can send a longer one, and a 3 MiB file fits as base64.
  maxStringBytes: 4 * 1024 * 1024,
  // Lists are paged and embeddings have a few thousand dimensions; more is an attack on loops over the array.
  maxArrayLength: 10_000,
  // Keys are chosen by peers and end in hash tables; a map with more entries than this is a data set.
  maxKeysPerObject: 2_000,
  // The official SDKs take 100.
  maxBatch: 100,
});

/**
 * Decodes exactly one message, or says why these bytes are not one that every conforming parser must read alike.
 *
 * Not checked here: whether the method exists, and the shape of its params beyond being an object (methods.ts).
 *
 * @param bytes the whole body, event or line; must not be written to afterwards, the frame refers to it
 */
export function decodeFrame(
  bytes: Buffer,
  limits: DecodeLimits,
  direction: Direction,
): Decoded<MessageFrame> {
  return toMessage(readBody(bytes, limits), bytes, direction);
}

/** As `decodeFrame`; where the bytes are many, others have their turn meanwhile. */
export function decodeFrameInTurns(
  bytes: Buffer,
  limits: DecodeLimits,
  direction: Direction,
): Decoded<MessageFrame> | Promise<Decoded<MessageFrame>> {
  if (bytes.length <= largestAtOnce) return decodeFrame(bytes, limits, direction);
  return finishInTurns(readBodySteps(bytes, limits)).then((read) => toMessage(read, bytes, direction));
}

function toMessage(read: Decoded<Body>, bytes: Buffer, direction: Direction): Decoded<MessageFrame> {
  if (!read.ok) return read;
  const { found, value } = read.value;
  if (found.batch) return failed('batch-not-allowed', 'an array where one message is expected');
  const span = found.messages[0];
  if (span === undefined) return failed('frame-invalid', 'a message is not an object');
  return toFrame(value, bytes, idSpanOf(span, 0), direction);
}

/**
 * Decodes a body that may be a batch. Whether the revision allows one is the caller's decision.
 *
 * In a batch each message is checked as if it stood alone; their number is bounded, requests share no id,
 * responses share no id, and neither `initialize` (2025-03-26, basic/lifecycle) nor a message of 2026-07-28 may be
 * among them. One bad message refuses all.
 */
export function decodeBody(bytes: Buffer, limits: DecodeLimits, direction: Direction): Decoded<DecodedBody> {
  return toMessages(readBody(bytes, limits), bytes, direction);
}

/** As `decodeBody`; where the bytes are many, others have their turn meanwhile. */
export function decodeBodyInTurns(
  bytes: Buffer,
  limits: DecodeLimits,
  direction: Direction,
): Decoded<DecodedBody> | Promise<Decoded<DecodedBody>> {
  if (bytes.length <= largestAtOnce) return decodeBody(bytes, limits, direction);
  return finishInTurns(readBodySteps(bytes, limits)).then((read) => toMessages(read, bytes, direction));
}

export interface DecodedBody {
  readonly frames: readonly MessageFrame[];
  readonly batch: boolean;
}

/** 64 KiB: a body of that size takes about a millisecond, whatever is in it. */
const largestAtOnce = 65_536;

function toMessages(read: Decoded<Body>, bytes: Buffer, direction: Direction): Decoded<DecodedBody> {
  if (!read.ok) return read;
  const { found, value } = read.value;
  if (!found.batch) {
    const span = found.messages[0];
    if (span === undefined) return failed('frame-invalid', 'a message is not an object');
    const frame = toFrame(value, bytes, idSpanOf(span, 0), direction);
    return frame.ok ? decoded({ frames: [frame.value], batch: false }) : frame;
  }
  return toBatch(value as readonly JsonValue[], found.messages, bytes, direction);
}

interface Body {
  readonly found: Scan;
  readonly value: JsonValue;
}

function refuseEncoding(bytes: Buffer): Decoded<Body> | undefined {
  if (bytes.length === 0) return failed('body-empty', 'no bytes');
  // RFC 8259 section 8.1 lets a parser ignore a byte order mark, so some do and some do not.
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return failed('json-encoding', 'a byte order mark', { offset: 0 });
  }
  return isUtf8(bytes) ? undefined : failed('json-encoding', 'not valid UTF-8');
}

function readBody(bytes: Buffer, limits: DecodeLimits): Decoded<Body> {
  const refused = refuseEncoding(bytes);
  if (refused !== undefined) return refused;
  const found = scan(bytes, limits);
  if (!found.ok) return failed(found.code, found.detail, { offset: found.offset });
  try {
    const text = bytes.toString('utf8');
    const value: JsonValue = found.exact ? JSON.parse(text, keepExact) : JSON.parse(text);
    return decoded({ found, value });
  } catch {
    // The engine's message quotes the text, which is the peer's: it goes nowhere.
    return failed('json-invalid', 'not JSON by its grammar');
  }
}

function* readBodySteps(bytes: Buffer, limits: DecodeLimits): Steps<Decoded<Body>> {
  const refused = refuseEncoding(bytes);
  if (refused !== undefined) return refused;
  yield;
  const found = yield* scanSteps(bytes, limits);
  if (!found.ok) return failed(found.code, found.detail, { offset: found.offset });
  try {
    return decoded({ found, value: yield* parseSteps(bytes) });
  } catch {
    return failed('json-invalid', 'not JSON by its grammar');
  }
}

const integer = /^-?\d+$/;

function keepExact(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context.source;
  return source !== undefined && integer.test(source) ? toExactNumber(source) : value;
}

function toBatch(
  values: readonly JsonValue[],
  spans: readonly MessageSpan[],
  bytes: Buffer,
  direction: Direction,
): Decoded<DecodedBody> {
  if (values.length === 0) return failed('batch-invalid', 'an empty batch');
  const frames: MessageFrame[] = [];
  const asked = new Set<RequestId>();
  const answered = new Set<RequestId>();
  for (const [index, value] of values.entries()) {
    const span = spans[index];
    if (span === undefined) return failed('frame-invalid', 'a batch holds something that is not a message');
    const part = bytes.subarray(span.start, span.end);
    const frame = toFrame(value, part, idSpanOf(span, span.start), direction);
    // The id of one message must not be taken for the id of the whole answer.
    if (!frame.ok) return failed(frame.failure.code, `in a batch: ${frame.failure.detail}`);
    const refusal = refuseInBatch(frame.value, frame.value.kind === 'request' ? asked : answered);
    if (refusal !== undefined) return failed('batch-invalid', refusal);
    frames.push(frame.value);
  }
  return decoded({ frames, batch: true });
}

function refuseInBatch(frame: MessageFrame, ids: Set<RequestId>): string | undefined {
  if (frame.kind === 'request' || frame.kind === 'notification') {
    if (frame.method === 'initialize') return 'initialize inside a batch';
    if (claimsModernRevision(frame.params)) return 'a message of 2026-07-28 inside a batch';
  }
  if (frame.kind === 'notification' || frame.id === undefined) return undefined;
  if (ids.has(frame.id)) return 'two messages of a batch have one id';
  ids.add(frame.id);
  return undefined;
}

function idSpanOf(span: MessageSpan, base: number): readonly [number, number] | undefined {
  return span.idStart < 0 ? undefined : [span.idStart - base, span.idEnd - base];
}
