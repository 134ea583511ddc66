import net, { type Server } from 'node:net';

/** Connections that the primary has accepted and no worker has taken yet. */
export interface WaitingConnections {
  readonly waiting: number;
  /** Closed unread since the start, because as many as may wait did. */
  readonly turnedAway: number;
}

/**
 * 4096: workers take several thousand a second, so that no burst which they can follow comes near it; while none takes
 * any, these are as many open files and a few megabytes.
 */
export const mostWaiting = 4096;

/** What Node's own socket below a server is: it gives each connection to `onconnection`, and they are closed by `close`. */
interface Handle {
  onconnection?: (error: number, connection?: Connection) => void;
}

interface Connection {
  close(done?: () => void): void;
}

interface Watched {
  waiting: number;
  turnedAway: number;
}

/**
 * Bounds the connections that wait in this process for a worker. Node accepts whatever comes and keeps it until a worker
 * says that it takes the next one: while all of them hang, a flood would fill the primary, which alone can replace them.
 * One more than `most` is closed at once.
 *
 * Must be called before the first worker is forked. Node has no documented way to see these connections, nor to leave them
 * in the kernel. Where its way changes, nothing is found here and only the bound is lost; test/faults/workers-flooded.test.ts
 * then fails.
 */
export function boundWaiting(most: number, onTurnedAway: () => void): WaitingConnections {
  const found: Watched = { waiting: 0, turnedAway: 0 };
  const module = net as unknown as { createServer(...args: readonly unknown[]): Server };
  const create = module.createServer.bind(net);
  module.createServer = (...args) => {
    const server = create(...args);
    server.once('listening', () => {
      const handle = handleOf(server);
      // Node's cluster takes the handle away from a server that it made for its workers, and no one else does.
      process.nextTick(() => {
        if (handle !== null && handleOf(server) === null) watch(handle, most, found, onTurnedAway);
      });
    });
    return server;
  };
  return found;
}

function handleOf(server: Server): Handle | null {
  return (server as unknown as { readonly _handle: Handle | null })._handle;
}

function watch(handle: Handle, most: number, found: Watched, onTurnedAway: () => void): void {
  const take = handle.onconnection;
  if (take === undefined) return;
  handle.onconnection = (error, connection) => {
    if (connection === undefined) {
      take(error, connection);
      return;
    }
    if (found.waiting >= most) {
      found.turnedAway += 1;
      connection.close();
      onTurnedAway();
      return;
    }
    found.waiting += 1;
    // However it leaves this process - taken by a worker, or with the last of them - it is closed here, once.
    const close = connection.close;
    connection.close = function (this: Connection, ...done) {
      connection.close = close;
      found.waiting -= 1;
      close.apply(this, done);
    };
    take(error, connection);
  };
}
