import { errorTable, type GatewayError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { Unread } from '../pipeline/arrival.ts';
import { errorBody } from '../pipeline/error-answer.ts';
import type { Outcome, Recorder } from '../pipeline/outcome.ts';

/** 10 s, as for floods: whoever looks for a refusal finds it, and none costs a record of its own. */
const spanMs = 10_000;
/** 256 callers at a time, because their last refusals are held; of more, one is written before its time. */
const mostCallers = 256;

interface Joined {
  last: Outcome;
  times: number;
}

/**
 * Records what is refused before it is read. The first of each caller and upstream has its record at once, those that follow
 * within ten seconds have one together (`times`). Every refusal is in exactly one record.
 */
export class ShedRecords {
  readonly #recorder: Recorder;
  readonly #now: () => number;
  readonly #joined = new Map<string, Joined>();
  #timer: NodeJS.Timeout | undefined;

  constructor(recorder: Recorder, now: () => number) {
    this.#recorder = recorder;
    this.#now = now;
  }

  refused({ peer, upstream, verb }: Unread, principal: Principal | undefined, error: GatewayError): void {
    const key = `${upstream} ${verb} ${principal?.id ?? ''}`;
    const outcome: Outcome = {
      event: 'refusal',
      peer,
      principal,
      upstream,
      verb,
      exchange: undefined,
      code: error.code,
      rpcCode: errorTable[error.code].rpc,
      status: errorTable[error.code].status,
      time: this.#now(),
      durationMs: 0,
      upstreamMs: undefined,
      requestBytes: 0,
      replyBytes: 0,
      framesToClient: 0,
      cause: error.cause,
    };
    const joined = this.#joined.get(key);
    if (joined !== undefined) {
      joined.last = outcome;
      joined.times += 1;
      return;
    }
    if (this.#joined.size >= mostCallers) {
      const [oldest] = this.#joined;
      this.#joined.delete(oldest![0]);
      this.#write(oldest![1]);
    }
    this.#joined.set(key, { last: outcome, times: 0 });
    this.#timer ??= setTimeout(() => this.flush(), spanMs).unref();
    this.#record({ ...outcome, replyBytes: errorBody(error, undefined).length });
  }

  /** Writes what waits: also the last thing to do before the audit closes. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = [...this.#joined.values()];
    this.#joined.clear();
    for (const one of waiting) this.#write(one);
  }

  #write({ last, times }: Joined): void {
    if (times > 0) this.#record({ ...last, times });
  }

  #record(outcome: Outcome): void {
    // Refused either way: an audit that fails is counted by itself and can withhold nothing more.
    this.#recorder.record(outcome)?.catch(() => undefined);
  }
}
