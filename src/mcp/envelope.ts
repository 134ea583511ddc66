import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type Decoded, decoded, failed } from './failure.ts';
import { findDisguisedKey, isEnvelopeKey } from './fold.ts';
import type { Direction, ErrorFrame, MessageFrame, RequestId } from './frame.ts';
import { hasControls, isName } from './text.ts';

/** Longest id that is accepted as a string, in UTF-16 units. */
const maxIdLength = 128;

type IdSpan = readonly [start: number, end: number];

/**
 * Reads a decoded value as a JSON-RPC message: exactly one of request, notification, result and error, with no
 * member beside those that the kind has.
 *
 * @param bytes the bytes of this message alone
 * @param idSpan where the text of the id stands in `bytes`; undefined where the message has no scalar id
 */
export function toFrame(
  value: JsonValue,
  bytes: Buffer,
  idSpan: IdSpan | undefined,
  direction: Direction,
): Decoded<MessageFrame> {
  if (!isJsonObject(value)) return failed('frame-invalid', 'a message is not an object');
  const hasId = Object.hasOwn(value, 'id');
  const isError = Object.hasOwn(value, 'error');
  const id = hasId ? readId(value['id'], bytes, idSpan) : undefined;
  // JSON-RPC 2.0 section 5 lets an error answer a request that could not be read with a null id, and servers do so.
  const idIsNull = hasId && value['id'] === null && isError && direction === 'toClient';

  const disguised = findDisguisedKey(value);
  if (disguised !== undefined) {
    return failed('json-ambiguous-key', `a key of ${disguised} imitates a protocol key`, { id });
  }
  for (const key of Object.keys(value)) {
    if (!isEnvelopeKey(key))
      return failed('frame-invalid', 'an unknown member beside the six known ones', { id });
  }
  if (value['jsonrpc'] !== '2.0') return failed('frame-invalid', 'jsonrpc is not "2.0"', { id });
  if (hasId && id === undefined && !idIsNull) {
    return failed('frame-id-invalid', 'the id is no short string and no safe integer');
  }

  if (Object.hasOwn(value, 'method')) return toCall(value, bytes, id, idSpan);
  if (Object.hasOwn(value, 'params')) return failed('frame-invalid', 'params without a method', { id });
  if (Object.hasOwn(value, 'result')) {
    if (isError) return failed('frame-invalid', 'both a result and an error', { id });
    return toResult(value, bytes, id, idSpan);
  }
  if (isError) return toError(value, bytes, id, idSpan);
  return failed('frame-invalid', 'neither a method, nor a result, nor an error', { id });
}

/** The id, or undefined where it is not one that every peer reads, echoes and compares alike. */
function readId(id: JsonValue | undefined, bytes: Buffer, span: IdSpan | undefined): RequestId | undefined {
  if (span === undefined) return undefined;
  if (typeof id === 'string') return id.length <= maxIdLength && !hasControls(id) ? id : undefined;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return undefined;
  return isPlainInteger(bytes, span) ? id : undefined;
}

/** `7.0`, `7e0` and `-0` are integers to some parsers and not to others, and come back as another text. */
function isPlainInteger(bytes: Buffer, [start, end]: IdSpan): boolean {
  if (bytes[start] === 0x2d) return bytes[start + 1] !== 0x30 && isPlainInteger(bytes, [start + 1, end]);
  for (let position = start; position < end; position++) {
    const byte = bytes[position]!;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}

function toCall(
  value: JsonObject,
  bytes: Buffer,
  id: RequestId | undefined,
  idSpan: IdSpan | undefined,
): Decoded<MessageFrame> {
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')) {
    return failed('frame-invalid', 'a method beside a result or an error', { id });
  }
  const method = value['method'];
  if (!isName(method)) return failed('frame-invalid', 'the method is not a name', { id });
  const params = own(value, 'params');
  if (params !== undefined) {
    if (!isJsonObject(params)) return failed('frame-invalid', 'params are not an object', { id });
    const meta = own(params, '_meta');
    if (meta !== undefined && !isJsonObject(meta)) {
      return failed('frame-params-invalid', 'params._meta is not an object', { id });
    }
  }
  return decoded(
    id === undefined || idSpan === undefined
      ? { kind: 'notification', bytes, value, method, params }
      : { kind: 'request', bytes, value, id, idSpan, method, params },
  );
}

function toResult(
  value: JsonObject,
  bytes: Buffer,
  id: RequestId | undefined,
  idSpan: IdSpan | undefined,
): Decoded<MessageFrame> {
  if (id === undefined || idSpan === undefined) return failed('frame-id-invalid', 'a result without an id');
  const result = value['result'];
  if (!isJsonObject(result)) return failed('frame-invalid', 'the result is not an object', { id });
  const meta = own(result, '_meta');
  if (meta !== undefined && !isJsonObject(meta)) {
    return failed('frame-invalid', 'result._meta is not an object', { id });
  }
  return decoded({ kind: 'result', bytes, value, id, idSpan, result });
}

function toError(
  value: JsonObject,
  bytes: Buffer,
  id: RequestId | undefined,
  idSpan: IdSpan | undefined,
): Decoded<ErrorFrame> {
  const error = value['error'];
  if (!isJsonObject(error)) return failed('frame-invalid', 'the error is not an object', { id });
  const code = own(error, 'code');
  const message = own(error, 'message');
  if (typeof code !== 'number' || !Number.isSafeInteger(code) || typeof message !== 'string') {
    return failed('frame-invalid', 'the error lacks an integer code or a message', { id });
  }
  const data = own(error, 'data');
  return decoded({
    kind: 'error',
    bytes,
    value,
    id,
    idSpan,
    error: data === undefined ? { code, message } : { code, message, data },
  });
}
