import type { GatewayError } from '../errors.ts';
import type { UpstreamMessage } from '../pipeline/upstream-port.ts';
import { timedOut } from './failure.ts';
import type { HttpUpstreamOptions } from './options.ts';

/** How far a call has come, as far as its times are concerned. */
export type TimedStage = 'queued' | 'waiting' | 'streaming' | 'answering';

/** The times of one call: how long it may wait, be silent, and take in all. Monotonic milliseconds. */
export class CallTimes {
  readonly #timeouts: HttpUpstreamOptions['timeouts'];
  readonly #longLived: boolean;
  /** What policy gave this call. */
  readonly #own: number | undefined;
  readonly #startedAt = performance.now();
  readonly #since: number;
  /** Its consumer is slow. */
  paused = false;
  /** Bytes came since the last look. A flag, because reading the clock for every piece is dearer. */
  heard = false;
  heardAt = 0;

  /** @param since when the first of two tries began: both together have the time that one has */
  constructor(
    timeouts: HttpUpstreamOptions['timeouts'],
    { longLived, total }: Pick<UpstreamMessage, 'longLived' | 'total'>,
    since?: number,
  ) {
    this.#since = since ?? this.#startedAt;
    this.#timeouts = timeouts;
    this.#longLived = longLived;
    this.#own = total === undefined ? undefined : Math.min(total, timeouts.longest);
  }

  /** @returns the failure of a call that ran out of one of its times */
  check(stage: TimedStage, now: number): GatewayError | undefined {
    const { idle, headers, stream, total } = this.#timeouts;
    const age = now - this.#startedAt;
    // Servers on Node send the head of a stream together with its first event, and that may be long in coming.
    const awaitsStream = this.#longLived && stage === 'waiting';
    if (stage === 'queued' || stage === 'waiting') {
      // A call that may take longer by itself may also begin to answer as late. Waiting for a socket is another thing.
      const begins = stage === 'waiting' && this.#own !== undefined ? this.#own : headers;
      const patience = awaitsStream ? idle : begins;
      if (age >= patience) return timedOut(`no answer (${stage})`, patience);
    } else if (this.heard || this.paused) {
      // While the consumer is slow the upstream is not the one that is silent.
      this.heard = false;
      this.heardAt = now;
    } else if (now - this.heardAt >= idle) {
      return timedOut('silence', idle);
    }
    const mayLast = awaitsStream || (this.#longLived && stage === 'streaming');
    const limit = mayLast ? stream : (this.#own ?? total);
    return now - this.#since >= limit ? timedOut('the whole call', limit) : undefined;
  }
}
