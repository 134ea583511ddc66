import { isExactNumber, isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { MessageFrame, RequestId } from './frame.ts';

/**
 * Gives a frame another id. No other byte changes, so what was judged is still what is sent.
 *
 * @throws TypeError for a frame that never has an id (a notification): a programmer's error
 */
export function withId<F extends MessageFrame>(frame: F, id: RequestId): F;
export function withId(frame: MessageFrame, id: RequestId): MessageFrame {
  if (frame.kind === 'notification') throw new TypeError('a notification has no id');
  // An error whose peer wrote no id member: there is nothing to splice.
  if (frame.idSpan === undefined) return build(frame, { ...frame.value, id }, id);
  const [start, end] = frame.idSpan;
  // Every frame comes by here twice, and a safe integer is its own JSON text.
  const text = Number.isSafeInteger(id) ? String(id) : encodeText(id);
  const length = Buffer.byteLength(text, 'utf8');
  const bytes = Buffer.allocUnsafe(frame.bytes.length - (end - start) + length);
  frame.bytes.copy(bytes, 0, 0, start);
  bytes.write(text, start, 'utf8');
  frame.bytes.copy(bytes, start + length, end);
  return { ...frame, bytes, value: { ...frame.value, id }, id, idSpan: [start, start + length] };
}

/**
 * Makes a frame of the same kind from another value, encoded anew. The id stays the frame's own.
 *
 * The value must be a whole envelope that fits the kind of the frame; anything else is a programmer's error and
 * throws TypeError. Numbers kept exact get their digits back. Half surrogate pairs, which a careless mutator can
 * make by cutting a string, become U+FFFD, in the value as well as in the bytes.
 */
export function replaceFrame<F extends MessageFrame>(frame: F, value: JsonObject): F;
export function replaceFrame(frame: MessageFrame, value: JsonObject): MessageFrame {
  return build(frame, value, frame.kind === 'notification' ? undefined : frame.id);
}

/**
 * As `replaceFrame`, where the text of what the frame carries is there already.
 *
 * @param value whole, and no one else's: it becomes the frame's
 * @param member JSON of its `params`, `result` or `error`; empty where a frame has no params
 */
export function replaceFrameWith<F extends MessageFrame>(frame: F, value: JsonObject, member: Buffer): F;
export function replaceFrameWith(frame: MessageFrame, value: JsonObject, member: Buffer): MessageFrame {
  return build(frame, value, frame.kind === 'notification' ? undefined : frame.id, member);
}

/** Encodes a result of the gateway's own. */
export function encodeResult(id: RequestId, result: JsonObject): Buffer {
  return Buffer.from(`${envelopeStart(id)},"result":${encodeText(result)}}`, 'utf8');
}

/**
 * Encodes an error of the gateway's own.
 *
 * @param id of the request that it answers; undefined leaves the member out: `null` breaks the official clients
 */
export function encodeError(
  id: RequestId | undefined,
  error: { readonly code: number; readonly message: string; readonly data?: JsonObject },
): Buffer {
  const { code, message, data } = error;
  const body = encodeText(data === undefined ? { code, message } : { code, message, data });
  return Buffer.from(`${envelopeStart(id)},"error":${body}}`, 'utf8');
}

/**
 * JSON text that no line splitter can cut: beside what JSON must escape, U+007F to U+009F and U+2028/2029 are
 * escaped, for readers of line-delimited transports that split at every Unicode line end.
 */
export function encodeText(value: JsonValue): string {
  const text = JSON.stringify(value);
  const whole = /\\ud[89a-f]/.test(text) ? JSON.stringify(wellFormed(value)) : text;
  return whole.replace(splitters, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const splitters = /[\u007f-\u009f\u2028\u2029]/g;

const idStart = '{"jsonrpc":"2.0"';

function envelopeStart(id: RequestId | undefined): string {
  return id === undefined ? idStart : `${idStart},"id":${encodeText(id)}`;
}

function build(
  frame: MessageFrame,
  given: JsonObject,
  id: RequestId | undefined,
  encoded?: Buffer,
): MessageFrame {
  // Copied before it is encoded: bytes and value must not drift apart if the caller writes to its object later.
  const value = encoded === undefined ? (wellFormed(given) as JsonObject) : given;
  const start = envelopeStart(id);
  const idEnd = Buffer.byteLength(start, 'utf8');
  const idSpan: readonly [number, number] = [idStart.length + ',"id":'.length, idEnd];
  const finish = (before: string, member: JsonValue | undefined): Buffer => {
    if (member === undefined) return Buffer.from(`${start}${before}}`, 'utf8');
    if (encoded === undefined) return Buffer.from(`${start}${before}${encodeText(member)}}`, 'utf8');
    return Buffer.concat([Buffer.from(start + before, 'utf8'), encoded, Buffer.from('}')]);
  };

  switch (frame.kind) {
    case 'request':
    case 'notification': {
      const method = own(value, 'method');
      const params = own(value, 'params');
      if (typeof method !== 'string' || (params !== undefined && !isJsonObject(params))) throw misfit();
      const tail = params === undefined ? '' : ',"params":';
      const bytes = finish(`,"method":${encodeText(method)}${tail}`, params);
      if (frame.kind === 'notification') {
        return { kind: 'notification', bytes, value: envelope({}, { method, params }), method, params };
      }
      const whole = envelope({ id: frame.id }, { method, params });
      return { kind: 'request', bytes, value: whole, id: frame.id, idSpan, method, params };
    }
    case 'result': {
      const result = own(value, 'result');
      if (!isJsonObject(result)) throw misfit();
      const bytes = finish(',"result":', result);
      const answered = id ?? frame.id;
      return {
        kind: 'result',
        bytes,
        value: envelope({ id: answered }, { result }),
        id: answered,
        idSpan,
        result,
      };
    }
    case 'error': {
      const error = own(value, 'error');
      if (!isJsonObject(error)) throw misfit();
      const code = own(error, 'code');
      const message = own(error, 'message');
      if (typeof code !== 'number' || typeof message !== 'string') throw misfit();
      const data = own(error, 'data');
      const bytes = finish(',"error":', error);
      return {
        kind: 'error',
        bytes,
        value: envelope(id === undefined ? {} : { id }, { error }),
        id,
        idSpan: id === undefined ? undefined : idSpan,
        error: data === undefined ? { code, message } : { code, message, data },
      };
    }
  }
}

function envelope(id: JsonObject, members: JsonObject): JsonObject {
  const value: Record<string, JsonValue> = { jsonrpc: '2.0' };
  for (const [key, member] of [...Object.entries(id), ...Object.entries(members)]) {
    if (member !== undefined) value[key] = member;
  }
  return value;
}

function misfit(): TypeError {
  return new TypeError('the value does not fit the kind of the frame');
}

/** A deep copy whose strings and keys are all whole. Depth is bounded by the decoder. */
function wellFormed(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(wellFormed);
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  const copy: Record<string, JsonValue> = {};
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (member !== undefined) copy[key.toWellFormed()] = wellFormed(member);
  }
  return copy;
}
