import type { JsonObject, JsonValue } from '../values/json.ts';

export type RequestId = string | number;

/** Which way a frame travels: from client to MCP server, or back. */
export type Direction = 'toUpstream' | 'toClient';

/**
 * One JSON-RPC message, or an HTTP verb that the gateway treats as one.
 *
 * `bytes` are the very bytes that were judged. A filter that changes a frame makes a new one with
 * `replaceFrame` (encode.ts); bytes and value never disagree.
 */
export type Frame = MessageFrame | StreamOpenFrame | SessionEndFrame;

/** A frame that came as JSON. */
export type MessageFrame = RequestFrame | NotificationFrame | ResultFrame | ErrorFrame;

interface MessageBase {
  readonly bytes: Buffer;
  /** The whole decoded envelope. Its objects are plain: read a stranger's key with `own` (json.ts) only. */
  readonly value: JsonObject;
}

export interface RequestFrame extends MessageBase {
  readonly kind: 'request';
  readonly id: RequestId;
  /** Where the id's JSON text stands in `bytes`: `[start, end)`. Lets an id be replaced without encoding anew. */
  readonly idSpan: readonly [start: number, end: number];
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface NotificationFrame extends MessageBase {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface ResultFrame extends MessageBase {
  readonly kind: 'result';
  readonly id: RequestId;
  readonly idSpan: readonly [start: number, end: number];
  readonly result: JsonObject;
}

export interface ErrorFrame extends MessageBase {
  readonly kind: 'error';
  /** Absent where the peer could not read the id of what it answers; `null` on the wire counts as absent. */
  readonly id: RequestId | undefined;
  /** Undefined only where the bytes have no `id` member at all. */
  readonly idSpan: readonly [start: number, end: number] | undefined;
  readonly error: { readonly code: number; readonly message: string; readonly data?: JsonValue };
}

/** HTTP GET: the client asks for the standalone stream of a legacy session, or resumes one. */
export interface StreamOpenFrame {
  readonly kind: 'stream-open';
  readonly lastEventId: string | undefined;
}

/** HTTP DELETE: the client ends its legacy session. */
export interface SessionEndFrame {
  readonly kind: 'session-end';
}
