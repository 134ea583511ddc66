import { randomBytes } from 'node:crypto';
import { sharedAuditFault } from '../config/output-checks.ts';
import type { Config } from '../config/schema.ts';
import type { Gateway, Started } from '../gateway.ts';
import { createMemoryStore } from '../limits/memory-store.ts';
import { createAdmin } from '../listener/admin.ts';
import type { BlockedAddress } from '../listener/blocks.ts';
import { createControl } from '../listener/control.ts';
import { createLog } from '../observe/log.ts';
import type { MetricsSnapshot } from '../observe/merge-metrics.ts';
import { createPrimaryMetrics } from '../observe/primary-metrics.ts';
import { createMemoryState } from '../state/memory.ts';
import { version } from '../version.ts';
import type { Answered, Supervisor } from '../workers/contract.ts';
import { forkWorker, prepareForks } from '../workers/fork.ts';
import { answerStateQuestion } from '../workers/ipc-state.ts';
import { workerCount } from '../workers/options.ts';
import { serveLimits } from '../workers/serve-limits.ts';
import { createSupervisor } from '../workers/supervisor.ts';
import { boundWaiting, mostWaiting } from '../workers/waiting-connections.ts';
import { mergeBlocks } from './merge-blocks.ts';
import { mergeReadiness } from './merge-readiness.ts';
import type { WorkerOrders, WorkerReport } from './worker-orders.ts';

/** 2 s: whoever asks for health waits a few, and a worker that is silent for two does not serve. */
const askTimeoutMs = 2000;

/** A line a minute: a flood must not become a flood of lines. */
const quietMs = 60_000;

/** What a worker may take beyond the deadline of its drain: to write what waits, and to end. */
const drainSlackMs = 10_000;

/** A gateway of several processes. */
export interface Primary extends Omit<Gateway, 'inner'> {
  /** Resolves where workers keep ending soon after their start. What still runs is to be drained. */
  readonly failed: Promise<void>;
}

export type PrimaryStarted =
  | { readonly ok: true; readonly gateway: Primary }
  | Extract<Started, { readonly ok: false }>;

/**
 * Starts a gateway of several processes. Either all of them serve, or nothing does.
 *
 * This process runs no exchange. It holds the listening sockets and hands out connections; counts limits and keeps what
 * workers must know together, unless a Redis does; and serves the admin port and the control socket for all.
 *
 * @param entry the program that workers run
 */
export async function startPrimary(config: Config, entry: string): Promise<PrimaryStarted> {
  const problem = sharedAuditFault(config.audit.file);
  if (problem !== undefined) return { ok: false, problems: [`audit.file: ${problem}`] };
  const workers = workerCount(config.workers);
  const log = createLog(config.log);
  const failed = Promise.withResolvers<void>();
  const monotonic = (): number => performance.now();
  const counts = createMemoryStore(config.limits.memory, () => undefined);
  const limits = serveLimits(counts, {
    nowUs: () => Math.floor(monotonic() * 1000),
    time: () => Date.now(),
  });
  const state = createMemoryState(monotonic);
  const sessionKey = randomBytes(32);
  const redactionKey = randomBytes(32);
  let draining = false;
  let adminUrl = '';

  let toldFullAt = Number.NEGATIVE_INFINITY;
  const connections = boundWaiting(mostWaiting, () => {
    const now = monotonic();
    if (now - toldFullAt < quietMs) return;
    toldFullAt = now;
    log.warn('connections are closed unread: workers do not take those that wait', {
      waiting: connections.waiting,
      closed: connections.turnedAway,
    });
  });
  prepareForks(entry, ['run']);
  const supervisor = createSupervisor<WorkerReport>({
    workers,
    fork: forkWorker,
    orders: (worker): WorkerOrders => ({ config, worker, workers, adminUrl, sessionKey, redactionKey }),
    answer(worker, what, body) {
      if (what === 'limits.take') return limits.take(worker, body);
      if (what === 'limits.probe') return true;
      const about = answerStateQuestion(state, what, body);
      if (about === undefined) throw new TypeError(`a worker asked for ${what}`);
      return about.answer;
    },
    hear(worker, what, body) {
      if (what === 'limits.release') limits.release(worker, body);
      else answerStateQuestion(state, what, body);
    },
    gone(worker, pid) {
      limits.gone(worker);
      metrics.gone(pid);
    },
    giveUp: () => failed.resolve(),
    log,
    monotonic,
  });
  const metrics = createPrimaryMetrics(() => ({
    configured: workers,
    serving: supervisor.serving().length - supervisor.silent,
    restarts: supervisor.restarts,
    waitingConnections: connections.waiting,
    turnedAway: connections.turnedAway,
  }));
  const readiness = async () =>
    mergeReadiness(
      workers,
      draining,
      (await supervisor.askAll('ready', undefined, askTimeoutMs)).map(({ answer }) => answer),
    );
  const numbers = async () => {
    const answers = await supervisor.askAll('numbers', undefined, askTimeoutMs);
    const serving = new Set(supervisor.serving().map(({ pid }) => pid));
    return answers.flatMap(({ worker, pid, answer }) =>
      answer === undefined || !serving.has(pid) ? [] : [{ worker, pid, snapshot: answer as MetricsSnapshot }],
    );
  };

  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  // Whatever ends this process ends the workers too.
  const onExit = (): void => supervisor.killAll();
  process.once('exit', onExit);
  closers.push(() => void process.off('exit', onExit));
  try {
    const admin = await createAdmin(config.admin, {
      live: () => true,
      ready: readiness,
      metrics: async () => metrics.scrape(await numbers()),
      metricsType: metrics.contentType,
    });
    closers.push(() => admin.close());
    adminUrl = admin.address.url;
    const started = await supervisor.start();
    if (!started.ok) {
      await close();
      return started;
    }
    const control =
      config.control &&
      (await createControl(config.control, {
        list: () => blocked(supervisor),
        async release(address) {
          const before = (await blocked(supervisor)).length;
          const answers = await supervisor.askAll('blocks.release', address, askTimeoutMs);
          const released = answersOf<number>(answers).some((count) => count > 0);
          return address === undefined ? before : Number(released);
        },
      }));
    closers.push(() => control?.close());
    const listeners = started.reports[0]!.listeners;
    log.info('serving', {
      version,
      policy: started.reports[0]!.policy,
      listeners: listeners.map(({ url }) => url),
      admin: adminUrl,
      workers,
      pids: supervisor.serving().map(({ pid }) => String(pid)),
    });
    const { drain } = config;
    return {
      ok: true,
      gateway: {
        listeners,
        adminUrl,
        failed: failed.promise,
        async reload(reason) {
          // One that is about to serve as well: it may have read the files before they changed.
          await supervisor.askAll('reload', reason, 600_000, 'all');
        },
        async drain() {
          draining = true;
          log.info('draining', { delayMs: drain.delay, deadlineMs: drain.deadline, workers });
          supervisor.retire();
          const patience = drain.delay + drain.deadline + drainSlackMs;
          // One that was about to take the place of another as well: nobody would tell it later.
          void supervisor.askAll('drain', undefined, patience, 'all');
          const clean = await supervisor.ended(patience);
          await close();
          log.info('stopped');
          return { lost: !clean };
        },
      },
    };
  } catch (error) {
    supervisor.retire();
    supervisor.killAll();
    await supervisor.ended(0);
    await close();
    return { ok: false, problems: [(error as Error).message] };
  }
}

/** Blocked in any worker. */
async function blocked(
  supervisor: Pick<Supervisor<WorkerReport>, 'askAll'>,
): Promise<readonly BlockedAddress[]> {
  const answers = await supervisor.askAll('blocks.list', undefined, askTimeoutMs);
  return mergeBlocks(answersOf<readonly BlockedAddress[]>(answers));
}

/** @throws Error where a worker was silent: what the others say is not the whole truth then, and must not pass for it */
function answersOf<T>(answers: readonly Answered[]): readonly T[] {
  const silent = answers.find(({ answer }) => answer === undefined);
  if (silent !== undefined) throw new Error(`worker ${silent.worker} did not answer`);
  return answers.map(({ answer }) => answer as T);
}
