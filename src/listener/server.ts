import { createServer, type IncomingMessage } from 'node:http';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ErrorCode, errorTable } from '../errors.ts';
import type { Peer, PeerCertificate } from '../identity/peer.ts';
import { CertificateRefused } from './certificate-refused.ts';
import { Admission, Connection } from './connections.ts';
import { peerOfHandshake } from './handshake-peer.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { ListenerOptions } from './options.ts';
import { plainPeer, unmapped } from './peer.ts';
import { knownVerb, rawRefusal } from './refusal.ts';
import { type AnyRequest, type AnyResponse, HttpReply, type ReplyContext } from './reply.ts';
import { maximumHeaders } from './request-headers.ts';
import { allowedVerbs } from './routes.ts';
import type { TlsMaterial } from './tls.ts';

/** A Node server whose every socket, handshake and parser error is accounted for. */
export interface GuardedServer {
  readonly server: Server;
  readonly admission: Admission;
}

export interface ServerDependencies extends ReplyContext {
  readonly housekeeping: Housekeeping;
  /** The TLS files as last read; undefined for plain HTTP/1.1. */
  material(): TlsMaterial | undefined;
  /** Whether a verified client certificate is on the deny list. */
  isRevoked(certificate: PeerCertificate): boolean;
  onRequest(reply: HttpReply, request: AnyRequest, response: AnyResponse): void;
}

/** Makes the server and puts admission, connection records and refusals between its parts. Does not listen yet. */
export function createGuardedServer(options: ListenerOptions, deps: ServerDependencies): GuardedServer {
  const server = createNodeServer(options, deps.material());
  const admission = new Admission(options.limits);
  const bySocket = new WeakMap<object, Connection>();
  const bySession = new WeakMap<object, Connection>();
  const tls = options.tls !== undefined;
  const begunWith = new WeakMap<object, TlsMaterial>();

  const open = (socket: Socket): Connection => {
    const proven = tls
      ? peerOfHandshake(
          socket as TLSSocket,
          begunWith.get(rawSocketOf(socket as TLSSocket) ?? socket),
          deps.material(),
        )
      : { peer: plainPeer(socket), chain: undefined, unverified: undefined };
    const certificate = proven.peer.tls?.certificate;
    const revoked = certificate !== undefined && deps.isRevoked(certificate);
    const connection = new Connection(socket, proven, revoked, performance.now());
    bySocket.set(socket, connection);
    deps.housekeeping.connections.add(connection);
    socket.once('close', () => deps.housekeeping.connections.delete(connection));
    return connection;
  };
  const refuseSocket = (peer: Peer, code: ErrorCode, cause: unknown): void =>
    deps.onRefusal({ peer, verb: '-', upstream: undefined, code, status: 0, cause });

  intercept(server, 'connection', (socket, proceed) => {
    // Asking for the address now has Node remember it: after a failed handshake it could not be asked any more.
    const peer = plainPeer(socket);
    if (deps.stopping()) {
      socket.destroy();
      return;
    }
    const full = admission.enter(socket, peer.address);
    if (full !== undefined) {
      socket.destroy();
      refuseSocket(peer, full, 'too many connections');
      return;
    }
    const material = deps.material();
    if (material === undefined) open(socket);
    else begunWith.set(socket, material);
    proceed();
  });

  if (tls) {
    let opening: Connection | undefined;
    intercept(server, 'secureConnection', (socket, proceed) => {
      // A new HTTP/2 session is announced while this runs, and shows only a proxy of its socket.
      opening = open(socket);
      try {
        proceed();
      } finally {
        opening = undefined;
      }
    });
    server.on('session', (session: ServerHttp2Session) => {
      if (opening === undefined) {
        session.destroy();
        return;
      }
      opening.session = session;
      bySession.set(session, opening);
    });
    server.on('sessionError', (error: NodeJS.ErrnoException, session: ServerHttp2Session) => {
      const connection = bySession.get(session);
      // Only what the peer did to the protocol; resets and time-outs are not refusals.
      if (connection === undefined || error.code?.startsWith('ERR_HTTP2') !== true) return;
      refuseSocket(connection.peer, 'header-invalid', error);
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const raw = rawSocketOf(socket);
      // A balancer that only looks whether the port is open says nothing: not worth a record.
      if ((raw?.bytesRead ?? 0) === 0 && error.code !== 'ERR_TLS_HANDSHAKE_TIMEOUT') return;
      const peer: Peer = {
        address: unmapped(raw?.remoteAddress ?? socket.remoteAddress),
        port: raw?.remotePort ?? socket.remotePort ?? 0,
        tls: undefined,
      };
      const refused = socket.authorizationError;
      // Node declares an Error and gives a code of OpenSSL.
      const cause = refused ? new CertificateRefused(String(refused)) : error;
      refuseSocket(peer, handshakeCode(error, socket), cause);
      if (!socket.destroyed) socket.destroy();
    });
  }

  const connectionOf = (request: AnyRequest): Connection | undefined =>
    request.stream !== undefined
      ? request.stream.session === undefined
        ? undefined
        : bySession.get(request.stream.session)
      : bySocket.get(request.socket);

  const receive = (request: AnyRequest, response: AnyResponse, awaitsContinue: boolean): void => {
    const connection = connectionOf(request);
    if (connection === undefined) {
      request.destroy();
      return;
    }
    if (connection.refused) return;
    const reply = new HttpReply(request, response, connection, deps);
    reply.awaitsContinue = awaitsContinue;
    deps.onRequest(reply, request, response);
  };
  server.on('request', (request, response) => receive(request, response, false));
  // Node would say "100 Continue" (or 417) before anything was checked.
  server.on('checkContinue', (request, response) => receive(request, response, true));
  server.on('checkExpectation', (request, response) => receive(request, response, false));
  server.on('connect', (request: AnyRequest, responseOrSocket: AnyResponse | Socket) => {
    if (request.stream !== undefined) {
      receive(request, responseOrSocket as AnyResponse, false);
      return;
    }
    refuseRaw(bySocket.get(request.socket), responseOrSocket as Socket, 'http-method', request, deps);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    onClientError(error, socket, bySocket.get(socket), deps);
  });
  return { server, admission };
}

function createNodeServer(options: ListenerOptions, material: TlsMaterial | undefined): Server {
  const { limits } = options;
  const http1 = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeout,
    // Only a backstop: bodies have their own clock, which also runs on HTTP/2 and can still answer.
    requestTimeout: limits.headersTimeout + limits.bodyTimeout * 2 + 5000,
    connectionsCheckingInterval: Math.min(1000, Math.max(20, Math.floor(limits.headersTimeout / 4))),
    keepAliveTimeout: limits.idleTimeout,
    // The guard asks for exactly one Host on both versions; Node's own answer would leave no record.
    requireHostHeader: false,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    noDelay: true,
  };
  let server: Server & { maxHeadersCount?: number | null };
  if (material === undefined) {
    server = createServer(http1) as unknown as Server;
  } else {
    const mode = options.tls?.clients?.mode ?? 'none';
    server = createSecureServer({
      ...http1,
      ...material.context,
      allowHTTP1: true,
      requestCert: mode !== 'none',
      rejectUnauthorized: mode === 'require',
      handshakeTimeout: limits.headersTimeout,
      settings: {
        enablePush: false,
        maxConcurrentStreams: limits.http2Streams,
        maxHeaderListSize: limits.headerBytes,
      },
      // One more than is allowed, so that it is the guard that answers; beyond, Node resets the stream.
      maxHeaderListPairs: maximumHeaders + 1,
      // 64 MB of unsent answers and unread bodies of one connection; above it new streams are refused.
      maxSessionMemory: 64,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      // Rapid reset (CVE-2023-44487): cancelling 200 at once is honest in no MCP client.
      streamResetBurst: 200,
      streamResetRate: 20,
      unknownProtocolTimeout: 1000,
    } as Parameters<typeof createSecureServer>[0]) as unknown as Server;
  }
  // No count of Node's own: it drops what is beyond in silence, and the guard would not see it.
  server.maxHeadersCount = 0;
  return server;
}

/** Puts a step before the listeners that Node's own constructors have added to an event. */
function intercept(
  server: Server,
  event: 'connection' | 'secureConnection',
  step: (socket: Socket, proceed: () => void) => void,
): void {
  const inner = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    step(socket, () => {
      for (const listener of inner) listener.call(server, socket);
    });
  });
}

/**
 * Node keeps the TCP socket under a TLS one in a member without a documented name. Without it records lack the address,
 * and no certificate is believed.
 */
function rawSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as unknown as { readonly _parent?: Socket })._parent ?? undefined;
}

function handshakeCode(error: NodeJS.ErrnoException, socket: TLSSocket): ErrorCode {
  if (error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'credential-missing';
  // In TLS 1.3 and 1.2 alike Node asks OpenSSL for the outcome and closes by itself.
  return socket.authorizationError ? 'credential-invalid' : 'tls-handshake';
}

const parserCodes: ReadonlyMap<string, ErrorCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'header-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request-timeout'],
]);

function onClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  connection: Connection | undefined,
  deps: ServerDependencies,
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
function refuseRaw(
  connection: Connection | undefined,
  socket: Socket | undefined,
  code: ErrorCode,
  request: IncomingMessage | undefined,
  deps: ServerDependencies,
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
