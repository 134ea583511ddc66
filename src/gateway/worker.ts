import cluster from 'node:cluster';
import { type Gateway, startGateway } from '../gateway.ts';
import type { Begun } from '../workers/contract.ts';
import { createIpcState } from '../workers/ipc-state.ts';
import { createLine } from '../workers/line.ts';
import type { Drained } from './contract.ts';
import { endProcess } from './end-process.ts';
import type { ReloadReason } from './reloader.ts';
import { auditFileOf, type WorkerOrders, type WorkerReport } from './worker-orders.ts';

/** Whether this process was forked by a primary of its own program. */
export function isWorkerProcess(): boolean {
  return cluster.isWorker && process.send !== undefined;
}

/**
 * Serves as one of several, as the primary tells. Resolves to the exit code.
 *
 * Signals are the primary's to act upon. A terminal, and whoever stops a whole group, sends them to every process: the
 * primary then tells each worker what to do, once. Where the primary is gone a worker drains and ends.
 */
export async function runWorker(): Promise<number> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // Node would end this process at once when the primary is gone, in the middle of calls.
  cluster.worker!.exitedAfterDisconnect = true;
  // What is written to a primary that was just killed fails, and must end no call: the end of the pipe is acted upon.
  cluster.worker!.on('error', () => undefined);
  const over = Promise.withResolvers<number>();
  let gateway: Gateway | undefined;
  const served = Promise.withResolvers<Gateway>();
  let draining: Promise<Drained> | undefined;

  const drain = async (code: number): Promise<void> => {
    draining ??= gateway?.drain() ?? Promise.resolve({ lost: false });
    const ended = await draining.catch(() => ({ lost: true }));
    over.resolve(ended.lost ? 1 : code);
  };

  async function begin(orders: WorkerOrders): Promise<Begun<WorkerReport>> {
    const { config, worker, workers, adminUrl } = orders;
    const own = {
      ...config,
      audit: { ...config.audit, file: auditFileOf(config.audit.file, worker) },
    };
    const started = await startGateway(own, {
      worker,
      workers,
      line,
      adminUrl,
      state: createIpcState(line),
      sessionKey: Buffer.from(orders.sessionKey),
      redactionKey: Buffer.from(orders.redactionKey),
    });
    if (!started.ok) return started;
    gateway = started.gateway;
    served.resolve(gateway);
    return { ok: true, report: { listeners: gateway.listeners, policy: gateway.inner.policy() } };
  }

  function answer(what: string, body: unknown): unknown {
    if (what === 'begin') return begin(body as WorkerOrders);
    if (what === 'there') return true;
    // Also of one that has not begun yet: there is nothing to wait for then.
    if (what === 'drain') return drain(0);
    // One that is about to begin may have read the files before they changed: it reads them again once it has begun.
    if (what === 'reload')
      return served.promise.then((serving) => serving.reload(body as ReloadReason)).then(() => true);
    if (gateway === undefined) throw new TypeError('nothing was begun');
    const { inner } = gateway;
    switch (what) {
      case 'ready':
        return inner.ready();
      case 'numbers':
        return inner.numbers();
      case 'blocks.list':
        return inner.blocks.list();
      case 'blocks.release':
        return inner.blocks.release(body as string | undefined);
      default:
        throw new TypeError(`the primary asked for ${what}`);
    }
  }

  const line = createLine({
    send(message) {
      if (process.send === undefined) return undefined;
      return new Promise((resolve) => void process.send!(message, () => resolve()));
    },
    answer,
  });
  process.on('message', (message) => line.receive(message));
  process.on('disconnect', () => {
    line.close();
    void drain(1);
  });
  line.tell('hello', process.pid);
  const code = await over.promise;
  // What is left of sockets, timers and files that hang ends with the process.
  return endProcess(code);
}
