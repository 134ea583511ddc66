import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { BodyReader } from './body.ts';
import type { ListenerDependencies } from './contract.ts';
import { dispatch, fail } from './dispatch.ts';
import type { Doors } from './doors.ts';
import { type GuardRules, guard } from './guard.ts';
import { createHostRules } from './hosts.ts';
import type { Housekeeping } from './housekeeping.ts';
import { letIn } from './let-in.ts';
import type { ListenerOptions } from './options.ts';
import type { HttpReply } from './reply.ts';
import { createGuardedServer, type GuardedServer } from './server.ts';
import type { TlsMaterial } from './tls.ts';
import { turnAway } from './turn-away.ts';

/** What the parts of one listener share. */
export interface ListenerState {
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

/**
 * Fastify over the guarded server: what the guard and the entrance let in goes through its router and body parser.
 *
 * @param created is given the server once Fastify has asked for it
 */
export function createApp(state: ListenerState, created: (guarded: GuardedServer) => void): FastifyInstance {
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
