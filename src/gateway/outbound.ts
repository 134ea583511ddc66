import type { Dialer } from '../dialer/contract.ts';
import { createDialer, type DialReport } from '../dialer/create-dialer.ts';
import type { OutboundOptions } from '../dialer/options.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** Issuers that are remembered as failing. Configuration names a handful; beyond this all are logged anew. */
const maxFailing = 256;

/**
 * The gateway's one dialer, counted and logged. The log tells when an issuer stops answering and when it answers again,
 * not each time in between: a caller with a made-up token must not be able to fill it.
 */
export function createOutbound(
  options: OutboundOptions,
  { log, metrics }: { readonly log: Pick<Log, 'warn' | 'info'>; readonly metrics: Pick<Metrics, 'dialled'> },
): Dialer & { reload(): Promise<void> } {
  const failing = new Map<string, string>();

  function report({ purpose, outcome, status, shown, message }: DialReport): void {
    metrics.dialled({ purpose, outcome });
    const about = `${purpose} ${shown ?? ''}`;
    const standing = outcome === 'status' ? `status ${status}` : outcome;
    const before = failing.get(about);
    if (outcome === 'ok') {
      if (failing.delete(about)) log.info('an issuer answers again', { purpose, url: shown });
    } else if (before !== standing) {
      if (failing.size >= maxFailing) failing.clear();
      failing.set(about, standing);
      log.warn('an issuer did not answer as it should', { purpose, url: shown, outcome: standing, message });
    }
  }

  return createDialer(options, { onDial: report });
}
