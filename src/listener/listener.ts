import { once } from 'node:events';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Peer, PeerCertificate } from '../identity/peer.ts';
import type { Arrival } from '../pipeline/arrival.ts';
import type { Entrance } from '../pipeline/load.ts';
import type { Reply } from '../pipeline/reply.ts';
import { bracketed, isLoopbackBind, parseBind } from './bind.ts';
import type { Blocks, Conduct } from './blocks.ts';
import { BodyReader } from './body.ts';
import { isStillTrusted } from './client-chain.ts';
import type { Connection } from './connections.ts';
import { cutConnections } from './cut-connections.ts';
import { dispatch, fail } from './dispatch.ts';
import type { Documents } from './documents.ts';
import { Doors } from './doors.ts';
import type { FloodKind } from './flood-tally.ts';
import { type GuardRules, guard } from './guard.ts';
import { createHostRules } from './hosts.ts';
import { Housekeeping } from './housekeeping.ts';
import { closeFlooding } from './http2-floods.ts';
import type { KnownAddresses } from './known-addresses.ts';
import { letIn } from './let-in.ts';
import type { ListenerOptions } from './options.ts';
import type { ListenerLog, Refusal } from './refusal.ts';
import type { HttpReply } from './reply.ts';
import { checkRoutes, type Routes } from './routes.ts';
import { createGuardedServer, type GuardedServer } from './server.ts';
import { loadTls, type TlsMaterial } from './tls.ts';
import { turnAway } from './turn-away.ts';

export interface ListenerDependencies {
  /** Path -> upstream. */
  readonly routes: Routes;
  /** Upstreams at whose routes an access token in the query is refused. Absent: none. */
  readonly tokenRoutes?: ReadonlySet<string>;
  /** What anybody may read. Absent: nothing. */
  readonly documents?: Documents;
  /** Takes a request that was let in. It answers through `reply`; if it does not, or throws, the client gets `internal`. */
  handle(arrival: Arrival, reply: Reply): Promise<void>;
  /** Told of each refusal made here, exactly once. Must not throw. */
  onRefusal(refusal: Refusal): void;
  readonly log: ListenerLog;
  /** Whether a verified client certificate is on the deny list: what comes with it is refused. Default: none is. */
  readonly isRevoked?: (certificate: PeerCertificate) => boolean;
  /** A connection is cut now, because its certificate does not count any more. What came over it must not go on. */
  readonly onCut?: (peer: Peer) => void;
  /** Addresses that are shut out. Absent: none is. */
  readonly blocks?: Blocks;
  /** Addresses that known callers came from. Absent: all are strangers. */
  readonly known?: KnownAddresses;
  /** Told of each offence that has no record of its own, or one for many. */
  readonly onOffence?: (peer: Peer, conduct: Conduct) => void;
  /** Told of each refusal by a flood, exactly once; `onRefusal` is told of the first ones, and then of many at once. */
  readonly onFlood?: (kind: FloodKind) => void;
  /** Asked of what the guard let in, before its body is read. Tells of its refusals by itself. Absent: all begin at once. */
  readonly entrance?: Entrance;
  /** `insecure.plaintext`: allows plain HTTP on an address that others can reach. */
  readonly allowPlaintext?: boolean;
}

export interface RunningListener {
  readonly address: { readonly host: string; readonly port: number; readonly url: string };
  /**
   * Reads the TLS files again. New handshakes use them at once; open connections stay, except those whose certificate
   * is now revoked or whose root is no longer trusted.
   *
   * @throws Error naming the file, where one is broken; the last good ones then stay in force
   */
  reloadTls(): Promise<void>;
  /** Cuts the connections whose client certificate is now on the deny list. @returns how many */
  cutRevoked(): number;
  /** Closes the port. Open connections finish what is under way and are told to go elsewhere. */
  stopAccepting(): void;
  /** Ends every event stream cleanly that is meant to stay open. Those of calls may finish. */
  endStreams(): void;
  /** Stops accepting, ends streams, waits for the rest to finish, and after `deadlineMs` cuts what is left. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Opens a listener and resolves once it accepts connections.
 *
 * @throws Error where a TLS file is broken or the address is taken; TypeError where the options do not fit together
 */
export async function createListener(
  options: ListenerOptions,
  deps: ListenerDependencies,
): Promise<RunningListener> {
  checkRoutes(deps.routes);
  if (options.tls === undefined && !isLoopbackBind(options.bind) && deps.allowPlaintext !== true) {
    throw new TypeError(`${options.bind}: plain HTTP is for loopback; configure tls`);
  }
  const doors = new Doors(options.limits, {
    blocks: deps.blocks,
    known: deps.known,
    onOffence: (peer, conduct) => deps.onOffence?.(peer, conduct),
    onRefusal: (refusal) => deps.onRefusal(refusal),
    onFlood: (kind) => deps.onFlood?.(kind),
  });
  const state: ListenerState = {
    options,
    deps,
    material: options.tls === undefined ? undefined : await loadTls(options.tls),
    stopping: false,
    doors,
    housekeeping: new Housekeeping(options.limits, {
      onFlood: (connection) => closeFlooding(connection, doors),
      onUnsentCut: () => doors.count('unsent'),
    }),
  };
  for (const warning of state.material?.warnings ?? []) deps.log.warn('tls file', { warning });
  let guarded: GuardedServer | undefined;
  try {
    const app = createApp(state, (created) => {
      guarded = created;
    });
    await app.ready();
    const address = await listen(guarded!.server, options.bind, options.tls !== undefined);
    return createHandle(state, guarded!, app, address);
  } catch (error) {
    state.housekeeping.stop();
    guarded?.server.close();
    throw error;
  }
}

interface ListenerState {
  readonly options: ListenerOptions;
  readonly deps: ListenerDependencies;
  readonly housekeeping: Housekeeping;
  readonly doors: Doors;
  material: TlsMaterial | undefined;
  stopping: boolean;
}

/**
 * Where a request that the guard let in carries its reply through Fastify. No WeakMap: the engine's young collection
 * holds on to the values of an old one, so that every request would move to the old space and be collected late.
 */
const replyKey = Symbol('reply');

function replyOf(request: IncomingMessage): HttpReply | undefined {
  return (request as { [replyKey]?: HttpReply })[replyKey];
}

function createApp(state: ListenerState, created: (guarded: GuardedServer) => void): FastifyInstance {
  const { options, deps, housekeeping, doors } = state;
  const rules: GuardRules = {
    hosts: createHostRules(options.bind, options.hosts, options.origins),
    routes: deps.routes,
    tokenRoutes: deps.tokenRoutes ?? new Set(),
    documents: deps.documents ?? (() => undefined),
    bodyBytes: options.limits.bodyBytes,
  };
  const app = fastify({
    logger: false,
    requestIdHeader: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    bodyLimit: options.limits.bodyBytes,
    trustProxy: false,
    // Fastify's own would destroy the socket under an answer; server.ts answers what the parser refuses.
    clientErrorHandler: () => {},
    serverFactory: (handler) => {
      const guarded = createGuardedServer(options, {
        housekeeping,
        doors,
        onRefusal: deps.onRefusal,
        material: () => state.material,
        stopping: () => state.stopping,
        isRevoked: (certificate) => deps.isRevoked?.(certificate) ?? false,
        onRequest: (reply, request, response) => {
          const { connection } = reply;
          const most = options.limits.requestsPerConnection;
          if (state.stopping || (most !== undefined && connection.requests >= most)) connection.retire();
          if (turnAway(reply, doors) || !guard(reply, rules)) return;
          letIn(reply, deps.entrance, () => {
            if (reply.awaitsContinue && request.method === 'POST') response.writeContinue();
            (request as { [replyKey]?: HttpReply })[replyKey] = reply;
            handler(request as IncomingMessage, response as ServerResponse);
          });
        },
      });
      created(guarded);
      return guarded.server as unknown as HttpServer;
    },
  });

  app.removeAllContentTypeParsers();
  // Under both names, because the wildcard alone is looked up anew for every request.
  app.addContentTypeParser(['application/json', '*'], (request: FastifyRequest, _payload: unknown, done) => {
    const reply = replyOf(request.raw)!;
    if (reply.verb !== 'POST') {
      done(null, undefined);
      return;
    }
    // One parser for all: what reaches it has been found to be plain JSON, and is decoded by nobody but mcp/.
    new BodyReader(reply, options.limits.bodyBytes, housekeeping, (body) => done(null, body));
  });
  const nothing = Buffer.alloc(0);
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/*',
    handler: (request, fastifyReply) => {
      fastifyReply.hijack();
      const reply = replyOf(request.raw)!;
      dispatch(reply, (request.body as Buffer | undefined) ?? nothing, deps);
    },
  });
  // Neither can happen after the guard; if one does, it is a refusal like others and not Fastify's own page.
  app.setNotFoundHandler((request, fastifyReply) => {
    fastifyReply.hijack();
    replyOf(request.raw)?.refuse('route-unknown', 'not routed');
  });
  app.setErrorHandler((error, request, fastifyReply) => {
    fastifyReply.hijack();
    fail(replyOf(request.raw), error, deps);
  });
  return app;
}

async function listen(server: Server, bind: string, tls: boolean): Promise<RunningListener['address']> {
  const { host, port } = parseBind(bind)!;
  server.listen({ host, port });
  // Rejects on 'error': an address that is taken stops the start.
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  return {
    host: bound.address,
    port: bound.port,
    url: `${tls ? 'https' : 'http'}://${bracketed(host)}:${bound.port}`,
  };
}

function createHandle(
  state: ListenerState,
  guarded: GuardedServer,
  app: FastifyInstance,
  address: RunningListener['address'],
): RunningListener {
  const { options, deps, housekeeping } = state;
  const { server, admission } = guarded;
  server.on('error', (error) => deps.log.error('listener failed', { error }));
  const closed = new Promise<void>((resolve) => {
    server.once('close', resolve);
  });
  let closing: Promise<void> | undefined;

  const stopAccepting = (): void => {
    if (state.stopping) return;
    state.stopping = true;
    // Also sends GOAWAY and ends idle HTTP/1.1 connections.
    server.close();
    for (const connection of housekeeping.connections) connection.retire();
  };
  const endStreams = (): void => {
    for (const stream of housekeeping.streams) if (stream.standing) stream.dismiss();
  };
  const finish = async (deadlineMs: number): Promise<void> => {
    stopAccepting();
    endStreams();
    for (const connection of housekeeping.connections) {
      if (connection.session === undefined && connection.underWay.size === 0) connection.socket.destroySoon();
    }
    const cut = setTimeout(() => {
      for (const connection of housekeeping.connections) connection.destroy();
      for (const socket of admission.sockets) socket.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(cut);
    housekeeping.stop();
    state.doors.close();
    await app.close();
  };
  const cutWhere = (fits: (connection: Connection) => boolean): number =>
    cutConnections(housekeeping.connections, fits, deps.onCut);
  let reloading: Promise<void> = Promise.resolve();
  const reload = async (): Promise<void> => {
    if (options.tls === undefined) return;
    const material = await loadTls(options.tls);
    (server as unknown as { setSecureContext(context: object): void }).setSecureContext(material.context);
    state.material = material;
    for (const warning of material.warnings) deps.log.warn('tls file', { warning });
    const { trust } = material;
    const cut = cutWhere(
      ({ chain }) => chain !== undefined && trust !== undefined && !isStillTrusted(chain, trust),
    );
    deps.log.info('tls files reloaded', { connectionsCut: cut });
  };

  return {
    address,
    // One after the other: of two reloads that overlap, the later reading must win.
    reloadTls: () => {
      reloading = reloading.catch(() => {}).then(reload);
      return reloading;
    },
    cutRevoked: () =>
      cutWhere(({ peer }) => {
        const certificate = peer.tls?.certificate;
        return certificate !== undefined && deps.isRevoked?.(certificate) === true;
      }),
    stopAccepting,
    endStreams,
    close: (deadlineMs) => {
      closing ??= finish(deadlineMs);
      return closing;
    },
  };
}
