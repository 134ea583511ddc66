import type { Outcome, Recorder } from '../pipeline/outcome.ts';
import type { Audit } from './audit.ts';
import { causeClass } from './cause-class.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { hiddenIn } from './redact.ts';

export interface RecorderDependencies {
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Codes that say that something behind the gateway, or the gateway itself, is not well: an operator should look. */
const troubles: ReadonlySet<string> = new Set([
  'upstream-unreachable',
  'credential-unavailable',
  'upstream-invalid',
  'upstream-refused',
  'upstream-closed',
  'upstream-timeout',
  'audit-unavailable',
  'overloaded',
  'internal',
]);
/** Lines per second: an upstream that is down must not fill the disk of the log. The metrics count all. */
const linesPerSecond = 10;

/**
 * Fans outcomes out: to the metrics, to the process log where something is not well, to the audit.
 *
 * Only the audit can withhold an answer. A failure of the metrics is logged and otherwise without effect.
 */
export function createRecorder({ audit, metrics, log }: RecorderDependencies): Recorder {
  let second = 0;
  let lines = 0;
  let unsaid = 0;

  function tell(outcome: Outcome): void {
    const now = Math.floor(outcome.time / 1000);
    if (now !== second) {
      second = now;
      lines = 0;
    }
    if (lines >= linesPerSecond) {
      unsaid += 1;
      return;
    }
    lines += 1;
    const { exchange } = outcome;
    const hidden = exchange === undefined ? undefined : hiddenIn(exchange.facts);
    const fields = {
      code: outcome.code,
      upstream: outcome.upstream,
      exchange: exchange?.id,
      trace: exchange?.traceId,
      status: outcome.status,
      cause: hidden?.beyond ? causeClass(outcome.cause) : outcome.cause,
      ...(unsaid > 0 ? { suppressed: unsaid } : {}),
    };
    // Long-lived streams end by their age and by silence every day, and clients open them again.
    const hasEnded = outcome.event === 'stream-ended' && outcome.code === 'upstream-timeout';
    log[outcome.code === 'internal' ? 'error' : hasEnded ? 'info' : 'warn'](
      hasEnded ? 'a stream was ended' : 'an exchange failed',
      fields,
      // All else are words of the gateway's own, which an operator needs whatever the call was.
      ...(hidden === undefined || hidden.beyond ? [] : [hidden]),
    );
    unsaid = 0;
  }

  return {
    accepting: () => audit.accepting(),
    record(outcome) {
      try {
        metrics.record(outcome);
        if (troubles.has(outcome.code)) tell(outcome);
      } catch (error) {
        log.error('an outcome could not be counted', { cause: error });
      }
      return audit.record(outcome);
    },
  };
}
