import { errorTable } from '../errors.ts';
import type { Refusal } from '../listener/refusal.ts';
import type { Outcome, Recorder } from '../pipeline/outcome.ts';

/** What the listener refused by itself has no exchange, but leaves a record like everything else. */
export function recordRefusal(refusal: Refusal, recorder: Recorder, time: number): void {
  const outcome: Outcome = {
    event: 'refusal',
    peer: refusal.peer,
    principal: undefined,
    upstream: refusal.upstream,
    verb: refusal.verb,
    exchange: undefined,
    code: refusal.code,
    // Status 0: nothing was answered.
    rpcCode: refusal.status === 0 ? undefined : errorTable[refusal.code].rpc,
    status: refusal.status,
    time,
    durationMs: 0,
    upstreamMs: undefined,
    requestBytes: 0,
    replyBytes: 0,
    framesToClient: 0,
    cause: refusal.cause,
    ...(refusal.times === undefined ? {} : { times: refusal.times }),
  };
  // Refused either way: an audit that fails is counted by itself and can withhold nothing more.
  recorder.record(outcome)?.catch(() => undefined);
}
