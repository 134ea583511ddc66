import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createApp, type ListenerState } from './app.ts';
import { bracketed, isLoopbackBind, parseBind } from './bind.ts';
import { isStillTrusted } from './client-chain.ts';
import type { Connection } from './connections.ts';
import type { ListenerDependencies, RunningListener } from './contract.ts';
import { cutConnections } from './cut-connections.ts';
import { Doors } from './doors.ts';
import { Housekeeping } from './housekeeping.ts';
import { closeFlooding } from './http2-floods.ts';
import type { ListenerOptions } from './options.ts';
import { checkRoutes } from './routes.ts';
import type { GuardedServer } from './server.ts';
import { loadTls } from './tls.ts';

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
