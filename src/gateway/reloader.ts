import type { Log } from '../observe/log.ts';

/** What asked for a reload: SIGHUP, or a change of the files. */
export type ReloadReason = 'signal' | 'files';

/** One thing that can be read again. */
export interface ReloadStep {
  /** Its name in the log and in `/readyz`. */
  readonly what: string;
  /** Puts what it read in force, or throws and leaves the last good one. */
  read(): Promise<void>;
}

export interface Reloader {
  /**
   * Reads everything again. One reload at a time, and at most one more waits: whoever asks meanwhile gets that one, which
   * begins to read after he asked.
   */
  run(reason: ReloadReason): Promise<void>;
  /** What did not load the last time that it was read. */
  failing(): readonly string[];
}

export interface ReloaderDependencies {
  readonly log: Log;
  /** Called after all steps, whether they succeeded or not. `signal` where one of those who asked was a signal. */
  after(reason: ReloadReason, failing: readonly string[]): Promise<void>;
  /** Somebody asked while a reload waited already. */
  onJoined(): void;
  sleep(ms: number): Promise<void>;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

/** 1 s: a withdrawn credential must not wait for longer than that, however many others ask. */
const longestPauseMs = 1000;

/** @param steps asked for at each reload: what there is to read may have changed */
export function createReloader(steps: () => readonly ReloadStep[], deps: ReloaderDependencies): Reloader {
  const failing = new Map<string, string>();
  let running: Promise<void> | undefined;
  let waiting: { readonly over: Promise<void>; reason: ReloadReason } | undefined;
  let tookMs = 0;

  async function readStep({ what, read }: ReloadStep): Promise<void> {
    try {
      await read();
      if (failing.delete(what)) deps.log.info('reloaded after a failure', { what });
    } catch (cause) {
      failing.set(what, (cause as Error).message);
      // That something of several did not load helps nobody: each says which it is.
      const causes: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
      for (const each of causes) {
        deps.log.error('not reloaded: the last good one stays in force', { what, cause: each });
      }
    }
  }

  // All at once: a revocation must not wait for an issuer that does not answer, and files that were found to be at rest
  // are read before somebody writes to them again.
  async function readAll(reason: ReloadReason): Promise<void> {
    const began = deps.monotonic();
    await Promise.all(steps().map(readStep));
    await deps.after(reason, [...failing.keys()]);
    tookMs = deps.monotonic() - began;
  }

  async function follow(earlier: Promise<void>): Promise<void> {
    // Its failure is told to those who wait for it.
    await earlier.catch(() => undefined);
    // As long as the last one took: in a storm of signals half of the time is left for calls.
    await deps.sleep(Math.min(longestPauseMs, tookMs));
    const { reason } = waiting!;
    waiting = undefined;
    await start(readAll(reason));
  }

  function start(reload: Promise<void>): Promise<void> {
    const over = reload.finally(() => {
      if (running === over) running = undefined;
    });
    running = over;
    return over;
  }

  return {
    run(reason) {
      if (running === undefined && waiting === undefined) return start(readAll(reason));
      if (waiting !== undefined) {
        if (reason === 'signal') waiting.reason = reason;
        deps.onJoined();
        return waiting.over;
      }
      waiting = { over: follow(running!), reason };
      return waiting.over;
    },
    failing: () => [...failing.keys()],
  };
}
