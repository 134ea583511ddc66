import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, errorTable } from '../errors.ts';
import type { Connection } from './connections.ts';
import { knownVerb, rawRefusal } from './refusal.ts';
import { HttpReply, type ReplyContext } from './reply.ts';
import { allowedVerbs } from './routes.ts';

const parserCodes: ReadonlyMap<string, ErrorCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'header-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request-timeout'],
]);

/** What Node's HTTP/1 parser refuses: answered where that is safe, told of in any case. */
export function onClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  connection: Connection | undefined,
  deps: Pick<ReplyContext, 'onRefusal'>,
): void {
  // An answer is on its way, and the socket closes after it: a dead parser complains about every further byte.
  if (connection?.refused === true && !socket.destroyed) return;
  // A peer that goes away in the middle of a request is not refused anything.
  const parserError = error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE';
  if (connection === undefined || !(parserError || error.code === 'ERR_HTTP_REQUEST_TIMEOUT')) {
    socket.destroy();
    return;
  }
  const code = parserCodes.get(error.code ?? '') ?? 'header-invalid';
  const [only, ...others] = connection.underWay;
  // The one request under way is the broken one if its own body was still arriving: it gets the answer.
  if (only instanceof HttpReply && others.length === 0 && !only.request.complete && !only.headSent) {
    only.refuse(code, error);
    return;
  }
  if (code === 'request-timeout' && socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  // With earlier requests unanswered, this answer would be read as theirs: only the end of the connection is safe.
  refuseRaw(connection, connection.underWay.size > 0 ? undefined : socket, code, undefined, deps, error);
  if (connection.underWay.size > 0) socket.destroy();
}

/** Answers on a bare socket and closes it. `socket` undefined records only. */
export function refuseRaw(
  connection: Connection | undefined,
  socket: Socket | undefined,
  code: ErrorCode,
  request: IncomingMessage | undefined,
  deps: Pick<ReplyContext, 'onRefusal'>,
  cause: unknown = request?.method,
): void {
  if (connection === undefined) {
    socket?.destroy();
    return;
  }
  connection.refused = true;
  const writable = socket?.writable === true;
  deps.onRefusal({
    peer: connection.peer,
    verb: knownVerb(request?.method),
    upstream: undefined,
    code,
    status: writable ? errorTable[code].status : 0,
    cause,
  });
  if (socket === undefined) return;
  if (!writable) {
    socket.destroy();
    return;
  }
  socket.on('error', () => socket.destroy());
  socket.end(rawRefusal(code, code === 'http-method' ? { allow: allowedVerbs } : {}), () => {
    // Half closed: time to read the answer, then gone, whatever the peer does.
    setTimeout(() => socket.destroy(), 500).unref();
  });
}
