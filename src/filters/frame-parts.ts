import { replaceFrame } from '../mcp/encode.ts';
import type { Frame, NotificationFrame, RequestId } from '../mcp/frame.ts';
import type { MethodRow } from '../mcp/methods.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';

/** The notification with some of its params replaced. */
export function withParams(frame: NotificationFrame, changed: JsonObject): Frame {
  return replaceFrame(frame, { ...frame.value, params: { ...frame.params, ...changed } });
}

/** What the request is about, where the method has such a thing. */
export function targetOf(row: MethodRow, params: JsonObject | undefined): string | undefined {
  const target = row.mirrors === undefined || params === undefined ? undefined : own(params, row.mirrors);
  return typeof target === 'string' ? target : undefined;
}

export function metaOf(params: JsonObject | undefined): JsonObject | undefined {
  const meta = params === undefined ? undefined : own(params, '_meta');
  return isJsonObject(meta) ? meta : undefined;
}

/** An id of a request or a progress token, where one is in its place. */
export function idIn(object: JsonObject | undefined, key: string): RequestId | undefined {
  const id = object === undefined ? undefined : own(object, key);
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
