import { GatewayError } from '../errors.ts';
import type { RunningListener } from '../listener/contract.ts';
import type { Log } from '../observe/log.ts';
import type { OpenExchanges } from '../pipeline/open-exchanges.ts';
import type { Drained } from './contract.ts';

/** What a drain works on. */
export interface DrainParts {
  readonly delayMs: number;
  readonly deadlineMs: number;
  readonly listeners: readonly RunningListener[];
  /** What runs now. */
  readonly open: OpenExchanges;
  /** Streams that are meant to stay open, and have not ended yet. */
  streams(): number;
  /** Exchanges that have not been recorded yet. */
  active(): number;
  readonly log: Log;
  /** Looks for no more changes, measures no more: called first. */
  quiet(): void;
  /** Closes what calls need, once there are none. */
  closeInner(): Promise<void>;
  /** Writes what waits and closes the audit: called when nothing more can happen. @returns how many records it could not write */
  closeAudit(): Promise<number>;
  /** Closes the port of health and metrics: last, so that whoever asks hears "not ready" and not silence. */
  closeAdmin(): Promise<void>;
  sleep(ms: number): Promise<void>;
}

/** 500 ms, because what was ended at the deadline has a line to write to its client, anywhere on Earth. */
const graceMs = 500;
/** 1 s for the last words of streams: who does not read them by then is ended without. */
const lastWordsMs = 1000;
/** 2 s for records of what was ended: each takes a turn of the loop and a write. */
const recordsMs = 2000;

/**
 * Stops as an operator wants it. `/readyz` fails before this is called; then, in this order: for the delay all goes on, so
 * that balancers learn of it. Ports close; open connections are told to go elsewhere (GOAWAY, `Connection: close`), and what
 * still comes over them is served, because its sender could not know. Streams that stay open are ended. Calls may finish
 * until the deadline; what is left then gets the error `draining`, is recorded as such, and is cut. The audit is flushed.
 */
export async function drain(parts: DrainParts): Promise<Drained> {
  const { listeners, open, deadlineMs, log, sleep } = parts;
  log.info('draining', { delayMs: parts.delayMs, deadlineMs });
  parts.quiet();
  await sleep(parts.delayMs);
  for (const listener of listeners) listener.stopAccepting();
  await endStreams(parts);
  const late = setTimeout(() => {
    const left = open.close(new GatewayError('draining', { cause: 'the deadline of the drain' }));
    if (left > 0) log.warn('ended at the deadline of the drain', { exchanges: left });
  }, deadlineMs);
  await Promise.all(listeners.map((listener) => listener.close(deadlineMs + graceMs)));
  clearTimeout(late);
  // A call of the session era outlives its client: it ends with the gateway.
  open.close(new GatewayError('draining', { cause: 'the gateway stopped' }));
  await parts.closeInner();
  await settled(parts);
  const records = await parts.closeAudit();
  if (records > 0) log.error('records were lost at the end', { records });
  await parts.closeAdmin();
  log.info('stopped');
  return { lost: records > 0 };
}

/** Ends what is meant to stay open as its protocol has it, and then whatever does not take the hint. */
async function endStreams({ open, listeners, streams, sleep }: DrainParts): Promise<void> {
  if (open.endStanding(new GatewayError('draining', { cause: 'a drain ends streams' })) > 0) {
    for (let waited = 0; streams() > 0 && waited < lastWordsMs; waited += 10) await sleep(10);
  }
  for (const listener of listeners) listener.endStreams();
}

/** Waits until all that was ended has been recorded: the audit must not close before. */
async function settled({ active, sleep, log }: DrainParts): Promise<void> {
  for (let waited = 0; active() > 0; waited += 10) {
    if (waited >= recordsMs) {
      log.error('exchanges did not end with the gateway', { exchanges: active() });
      return;
    }
    await sleep(10);
  }
}
