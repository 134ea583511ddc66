import cluster, { type Worker } from 'node:cluster';
import type { ForkedProcess } from './contract.ts';

/**
 * Prepares this process to fork workers that run the same program. Connections are handed to them in turn by this
 * process, which holds the listening sockets: a worker that starts again finds them open.
 *
 * @param entry the program, `src/main.ts` or what was built of it
 */
export function prepareForks(entry: string, args: readonly string[]): void {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // Advanced: limits that never end are Infinity, which JSON does not know.
  cluster.setupPrimary({ exec: entry, args: [...args], serialization: 'advanced' });
}

export function forkWorker(): ForkedProcess {
  const worker = cluster.fork();
  closeWhatNeverArrives(worker);
  // A send that fails is followed by the exit of the process, and that is acted upon.
  worker.on('error', () => undefined);
  return {
    pid: worker.process.pid,
    send(message) {
      if (!worker.isConnected()) return undefined;
      return new Promise((resolve) => void worker.send(message as object, () => resolve()));
    },
    kill: (signal) => void worker.process.kill(signal),
    onMessage: (hear) => void worker.on('message', hear),
    onExit: (gone) => void worker.on('exit', gone),
  };
}

/** What the primary says to a worker with a connection, in words of Node's own. */
interface Handover {
  readonly act?: unknown;
  readonly seq?: unknown;
}

/**
 * A connection that was handed to a worker in the moment of its end: Node keeps it open in the primary and hands it to
 * nobody, and its client would wait for ever. Closed, the client tries again. One at most for each worker that ends.
 *
 * Node has no documented way to see these. Where its words change, nothing is found here, and only this is lost.
 */
function closeWhatNeverArrives({ process: child }: Worker): void {
  const underWay = new Map<unknown, { close(): void }>();
  const send = child.send.bind(child) as (...args: readonly unknown[]) => boolean;
  let gone = false;
  child.send = ((message: Handover, handle: { close?(): void } | undefined, ...rest: readonly unknown[]) => {
    if (message.act === 'newconn' && handle?.close !== undefined) {
      if (gone) {
        handle.close();
        return false;
      }
      underWay.set(message.seq, handle as { close(): void });
    }
    return send(message, handle, ...rest);
  }) as typeof child.send;
  child.on('internalMessage', (message: { readonly ack?: unknown }) => underWay.delete(message.ack));
  const closeAll = (): void => {
    // The end and the closing of the pipe are told apart, in either order, and Node hands out connections in between.
    gone = true;
    for (const handle of underWay.values()) handle.close();
    underWay.clear();
  };
  child.once('exit', closeAll);
  child.once('disconnect', closeAll);
}
