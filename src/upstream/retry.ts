import type { GatewayError } from '../errors.ts';
import { evidenceOfFailure } from './evidence.ts';
import type { Progress } from './failure.ts';

/** One try that failed, and what could be done instead. */
export interface FailedTry {
  readonly error: GatewayError;
  readonly progress: Progress;
  /** What was asked changes nothing: a list, a read. */
  readonly repeatable: boolean;
  /** It belongs to a session, which only this endpoint knows. */
  readonly bound: boolean;
  /** There are other endpoints. */
  readonly others: boolean;
}

/** What the second and last try does, and why: a word for metrics. */
export interface Retry {
  readonly where: 'elsewhere' | 'here';
  /** `connect` nothing was written; `reread` a list or read whose connection closed before an answer. */
  readonly why: 'connect' | 'reread';
}

/**
 * Whether a call that failed may be made once more. Only where nothing can have happened: no connection came about, or what
 * was asked changes nothing and the connection closed before the answer. A tool call that may have reached a server is
 * never sent again, not even when nobody knows.
 *
 * A call that ran out of time is not made again: whoever waits has waited long enough.
 */
export function retryOf({ error, progress, repeatable, bound, others }: FailedTry): Retry | undefined {
  const elsewhere = others && !bound;
  if (evidenceOfFailure(error, progress) === 'unreached') {
    return elsewhere ? { where: 'elsewhere', why: 'connect' } : undefined;
  }
  if (repeatable && progress === 'sent' && error.code === 'upstream-closed') {
    return { where: elsewhere ? 'elsewhere' : 'here', why: 'reread' };
  }
  return undefined;
}
