import { writeFile } from 'node:fs/promises';
import { type Profiler, Session } from 'node:inspector/promises';
import { answerParent } from './child.ts';

/** What a measured process is asked once it has started. */
export type MeasuredQuestion =
  /** Microseconds of CPU, user and system, of all its threads so far. */
  | { readonly kind: 'cpu' }
  /** Starts a CPU profile of the main thread. Costs time itself: numbers taken meanwhile compare with nothing else. */
  | { readonly kind: 'profile' }
  /** Ends the profile and writes it where Chrome's developer tools and `node --cpu-prof` readers find it. */
  | { readonly kind: 'save-profile'; readonly file: string };

/** The life of a measured process: it is set up by its first question and measured by the others. */
export function beMeasured<Setup, Ready>(start: (setup: Setup) => Promise<Ready>): void {
  let started = false;
  let session: Session | undefined;
  answerParent(async (question) => {
    if (!started) {
      started = true;
      return start(question as Setup);
    }
    const asked = question as MeasuredQuestion;
    switch (asked.kind) {
      case 'cpu': {
        const { user, system } = process.cpuUsage();
        return user + system;
      }
      case 'profile':
        session = new Session();
        session.connect();
        await session.post('Profiler.enable');
        await session.post('Profiler.setSamplingInterval', { interval: 500 });
        await session.post('Profiler.start');
        return undefined;
      case 'save-profile': {
        const stopped = (await session?.post('Profiler.stop')) as Profiler.StopReturnType | undefined;
        await writeFile(asked.file, JSON.stringify(stopped?.profile));
        return undefined;
      }
    }
  });
}
