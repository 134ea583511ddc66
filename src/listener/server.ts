import type { ServerHttp2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../errors.ts';
import type { Peer, PeerCertificate } from '../identity/peer.ts';
import { CertificateRefused } from './certificate-refused.ts';
import { Admission, Connection } from './connections.ts';
import type { Doors } from './doors.ts';
import { peerOfHandshake } from './handshake-peer.ts';
import type { Housekeeping } from './housekeeping.ts';
import { closeFlooding, watchControlFrames } from './http2-floods.ts';
import type { AnyRequest, AnyResponse } from './node-messages.ts';
import { createNodeServer } from './node-server.ts';
import type { ListenerOptions } from './options.ts';
import { plainPeer, unmapped } from './peer.ts';
import { onClientError, refuseRaw } from './raw-refusals.ts';
import { HttpReply, type ReplyContext } from './reply.ts';
import type { TlsMaterial } from './tls.ts';

/** A Node server whose every socket, handshake and parser error is accounted for. */
export interface GuardedServer {
  readonly server: Server;
  readonly admission: Admission;
}

export interface ServerDependencies extends ReplyContext {
  readonly housekeeping: Housekeeping;
  readonly doors: Doors;
  /** The TLS files as last read; undefined for plain HTTP/1.1. */
  material(): TlsMaterial | undefined;
  /** Whether a verified client certificate is on the deny list. */
  isRevoked(certificate: PeerCertificate): boolean;
  onRequest(reply: HttpReply, request: AnyRequest, response: AnyResponse): void;
}

/** Makes the server and puts admission, connection records and refusals between its parts. Does not listen yet. */
export function createGuardedServer(options: ListenerOptions, deps: ServerDependencies): GuardedServer {
  const { doors } = deps;
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
    const stranger = doors.stranger(proven.peer.address);
    const connection = new Connection(socket, proven, revoked, stranger, performance.now());
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
    const stranger = doors.stranger(peer.address);
    // Before any TLS work: that is what a flood of handshakes is after.
    if (!doors.mayConnect(stranger, peer)) {
      socket.destroy();
      return;
    }
    const full = admission.enter(socket, stranger.key, doors.knows(stranger));
    if (full !== undefined) {
      socket.destroy();
      const kind = full === 'overloaded' ? 'connections' : 'connections-per-address';
      doors.turnAway(kind, peer, full);
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
      const connection = opening;
      connection.session = session;
      bySession.set(session, connection);
      watchControlFrames(session, () => closeFlooding(connection, doors));
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
    // Who sends more after that has to ask again elsewhere (RFC 9112, section 9.6).
    if (connection.refused || connection.saidClose) return;
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
