import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** A process of the benchmark. Questions and answers go over IPC, one at a time. */
export interface Child {
  ask<T>(question: unknown): Promise<T>;
  /** Ends the process and waits until it is gone. */
  end(): Promise<void>;
}

/** 30 s: no question takes a tenth of that, so whoever is silent for longer hangs. */
const patienceMs = 30_000;

/** Forks a file of this folder. Resolves once the process says that it is ready. */
export async function startChild<T>(
  file: string,
  setup: unknown,
): Promise<{ readonly child: Child; readonly ready: T }> {
  const process = fork(join(import.meta.dirname, file));
  const child: Child = {
    ask: (question) => ask(process, file, question),
    async end() {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => process.once('exit', () => resolve()));
      if (process.connected) process.disconnect();
      const late = setTimeout(() => process.kill('SIGKILL'), 3000);
      await gone;
      clearTimeout(late);
    },
  };
  try {
    return { child, ready: await child.ask<T>(setup) };
  } catch (error) {
    await child.end();
    throw error;
  }
}

function ask<T>(process: ChildProcess, file: string, question: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error(`${file} does not answer`))), patienceMs);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      process.off('message', onMessage);
      process.off('exit', onExit);
      settle();
    };
    const onMessage = (answer: unknown): void => {
      const { value, error } = answer as { value?: T; error?: string };
      finish(() => (error === undefined ? resolve(value as T) : reject(new Error(`${file}: ${error}`))));
    };
    const onExit = (code: number | null): void =>
      finish(() => reject(new Error(`${file} ended with ${code}`)));
    process.on('message', onMessage);
    process.on('exit', onExit);
    process.send({ question });
  });
}

/**
 * The other side: answers the questions of the process that forked this one, and ends with it.
 *
 * @param answer gets the setup as its first question
 */
export function answerParent(answer: (question: unknown) => Promise<unknown>): void {
  process.on('message', (message: { question: unknown }) => {
    answer(message.question).then(
      (value) => process.send?.({ value }),
      (error: Error) => process.send?.({ error: error.message }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
