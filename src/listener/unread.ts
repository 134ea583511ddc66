import { constants } from 'node:http2';
import type { ErrorCode } from '../errors.ts';
import type { Connection } from './connections.ts';
import type { AnyRequest, AnyResponse } from './node-messages.ts';

/** 500 ms, because a refused client has one small answer to read, anywhere on Earth; its socket counts until then. */
const lingerMs = 500;

/** 256 KiB, because it costs less to receive than a new connection; of what is longer, the connection ends. */
const mostThrownAway = 256 * 1024;

/** Whether what is still to come of a refused request costs less to receive than a new connection would. */
export function isWorthReading(request: AnyRequest, awaitsContinue: boolean): boolean {
  if (request.complete || request.method === 'GET') return true;
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  return length <= mostThrownAway && !awaitsContinue;
}

/**
 * Ends an answer whose request need not have been read to its end.
 *
 * RFC 9113, section 8.1: a server that answered before it read everything asks the client to stop, without error. The
 * response's own 'finish' comes with the end of the stream, which is what this is to bring about.
 */
export function endUnread(body: Buffer | undefined, request: AnyRequest, response: AnyResponse): void {
  const { stream } = response;
  if (!request.complete) stream?.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  response.end(body);
}

/**
 * Sends the body of a refusal while part of its request is still to come, and ends the connection (HTTP/1.1) behind it.
 *
 * Closing now would reset the connection under data that is still arriving, and the client would see the reset instead of
 * the answer. So the answer goes out whole, and the end follows when the client has had time to read it.
 */
export function endWhenRead(
  code: ErrorCode,
  body: Buffer,
  request: AnyRequest,
  response: AnyResponse,
  connection: Connection,
): void {
  connection.refused = true;
  response.write(body);
  setTimeout(() => response.end(), lingerMs).unref();
  if (code === 'body-too-large' || code === 'request-timeout') return;
  request.once('end', () => response.end());
  request.resume();
}
