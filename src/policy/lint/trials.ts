import { toTrial } from '../trial.ts';
import { trialsIn } from './walk.ts';
import { type Lint, warn } from './warning.ts';

/** How long before its end a trial is told of: 14 days, the time in which somebody looks at what it counted. */
const notice = 14 * 86_400_000;

/** Trials that nobody ends, that end soon, and that have ended. */
export const trials: Lint = function* (files, { now }) {
  for (const { file, path, trial } of trialsIn(files)) {
    const { shadow, until } = toTrial(trial);
    if (!shadow) continue;
    if (until === Number.POSITIVE_INFINITY) {
      const message = 'is tried out without an end: say "until"';
      yield warn(file, [...path, 'mode'], 'trial-endless', message);
    } else if (now >= until) {
      const message = `is enforced since ${moment(until)}: leave out "mode" and "until"`;
      yield warn(file, [...path, 'until'], 'trial-ended', message);
    } else if (until - now <= notice) {
      const message = `will be enforced from ${moment(until)} on: look at sallyport_would_deny_total`;
      yield warn(file, [...path, 'until'], 'trial-ending', message);
    }
  }
};

function moment(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
