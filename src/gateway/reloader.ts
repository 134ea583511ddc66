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
  /** Reads everything again. One reload at a time: a storm of signals never runs two reloads into one another. */
  run(reason: ReloadReason): Promise<void>;
  /** What did not load the last time that it was read. */
  failing(): readonly string[];
}

/** @param steps asked for at each reload: what there is to read may have changed */
export function createReloader(
  steps: () => readonly ReloadStep[],
  deps: {
    readonly log: Log;
    /** Called after all steps, whether they succeeded or not. */
    after(reason: ReloadReason, failing: readonly string[]): Promise<void>;
  },
): Reloader {
  const failing = new Map<string, string>();
  let running: Promise<void> | undefined;

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
    await Promise.all(steps().map(readStep));
    await deps.after(reason, [...failing.keys()]);
  }

  return {
    run(reason) {
      running = (running ?? Promise.resolve()).then(() => readAll(reason));
      return running;
    },
    failing: () => [...failing.keys()],
  };
}
