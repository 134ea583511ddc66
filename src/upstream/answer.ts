import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamMessage } from '../pipeline/upstream-port.ts';
import type { Deadlines, Expiring } from './deadlines.ts';
import { EventStream } from './event-stream.ts';
import { invalid, timedOut, toFailure } from './failure.ts';
import { readIncoming } from './headers.ts';
import { JsonBody } from './json-body.ts';
import type { HttpUpstreamOptions } from './options.ts';
import { planFor, tooLarge } from './plan.ts';

/** What all calls of one kind share: how many there are, and how many there may be. */
export interface Lane {
  busy: number;
  readonly most: number;
}

export interface CallRules {
  readonly timeouts: HttpUpstreamOptions['timeouts'];
  readonly limits: HttpUpstreamOptions['limits'];
  readonly deadlines: Deadlines;
}

/**
 * Where a call stands.
 *
 * - `queued` not written yet, `waiting` written and no answer yet
 * - `json` collecting a body, `streaming` handing out events
 * - `empty` a success without a content type, which must turn out to have no body
 * - `discarding` settled; the rest is read to keep the connection, within bounds
 * - `abandoned` settled while queued: it must never be written
 * - `over` undici is done with it
 */
type Stage = 'queued' | 'waiting' | 'json' | 'streaming' | 'empty' | 'discarding' | 'abandoned' | 'over';

/** 8, because honest servers send one or two interim answers, and each one would put off undici's own time-outs. */
const mostInterimAnswers = 8;

/** 64KiB and 250ms: reading on is cheaper than a new connection only for an end that is nearly there. */
const mostDiscardedBytes = 64 * 1024;
const mostDiscardingMs = 250;

/**
 * One call: the handler that undici drives, and the promise that `send` gave out.
 *
 * undici calls `onResponseEnd` or `onResponseError` exactly once for everything dispatched; until then the call
 * counts in its lane. Nothing here may throw into undici, except where `onRequestStart` says why.
 */
export class Call implements Dispatcher.DispatchHandler, Expiring {
  readonly #rules: CallRules;
  readonly #lane: Lane;
  readonly #longLived: boolean;
  readonly #startedAt = performance.now();
  #signal: AbortSignal | undefined;
  /** A function: a listener that is an object stays reachable in Node until a full collection. */
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);
  #resolve: (answer: UpstreamAnswer) => void;
  #reject: (reason: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #stage: Stage = 'queued';
  #status = 0;
  #sessionId: string | undefined;
  #body: JsonBody | undefined;
  #events: EventStream | undefined;
  #interim = 0;
  #discarded = 0;
  #paused = false;
  /** Bytes came since the last tick. A flag, because reading the clock for every piece is dearer. */
  #heard = false;
  #heardAt = 0;

  constructor(
    rules: CallRules,
    lane: Lane,
    message: UpstreamMessage,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#rules = rules;
    this.#lane = lane;
    this.#longLived = message.longLived;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = message.signal;
    this.#signal.addEventListener('abort', this.#onAbort);
    lane.busy++;
    rules.deadlines.add(this);
  }

  checkTime(now: number): void {
    const { timeouts } = this.#rules;
    const age = now - this.#startedAt;
    if (this.#stage === 'discarding') {
      if (now - this.#heardAt >= mostDiscardingMs) {
        this.#stop();
      }
      return;
    }
    // Servers on Node send the head of a stream together with its first event, and that may be long in coming.
    const awaitsStream = this.#longLived && this.#stage === 'waiting';
    if (this.#stage === 'queued' || this.#stage === 'waiting') {
      const patience = awaitsStream ? timeouts.idle : timeouts.headers;
      if (age >= patience) {
        this.#fail(timedOut(`no answer (${this.#stage})`, patience));
        return;
      }
    } else if (this.#heard || this.#paused) {
      // While the consumer is slow the upstream is not the one that is silent.
      this.#heard = false;
      this.#heardAt = now;
    } else if (now - this.#heardAt >= timeouts.idle) {
      this.#fail(timedOut('silence', timeouts.idle));
      return;
    }
    const mayLast = awaitsStream || (this.#longLived && this.#stage === 'streaming');
    const limit = mayLast ? timeouts.stream : timeouts.total;
    if (age >= limit) {
      this.#fail(timedOut('the whole call', limit));
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#stage === 'abandoned') {
      // undici turns a throw here into an error of this request alone. controller.abort() would also destroy the
      // idle socket that it was about to use.
      throw new GatewayError('upstream-closed');
    }
    this.#controller = controller;
    this.#stage = 'waiting';
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, raw: IncomingHttpHeaders): void {
    if (this.#stage !== 'waiting') {
      return;
    }
    if (status < 200) {
      if (++this.#interim > mostInterimAnswers) {
        this.#fail(invalid('too many interim answers'));
      }
      return;
    }
    this.#status = status;
    this.#heardAt = performance.now();
    const { resultBytes } = this.#rules.limits;
    const headers = readIncoming(raw);
    this.#sessionId = headers.sessionId;
    const plan = planFor(status, headers, resultBytes);
    if (plan === 'json') {
      this.#body = new JsonBody(resultBytes);
      this.#stage = 'json';
    } else if (plan === 'stream') {
      this.#openStream();
    } else if (plan === 'empty') {
      this.#stage = 'empty';
    } else if (plan === 'accepted') {
      this.#settleAndDiscard({ kind: 'accepted', status, sessionId: headers.sessionId });
    } else if (plan === 'refused') {
      this.#settleAndDiscard({ kind: 'refused', status });
    } else {
      this.#fail(plan);
    }
  }

  onResponseData(_: Dispatcher.DispatchController, piece: Buffer): void {
    this.#heard = true;
    switch (this.#stage) {
      case 'json':
        if (!this.#body!.add(piece)) {
          this.#fail(tooLarge('the body', this.#rules.limits.resultBytes));
        }
        break;
      case 'streaming':
        this.#events!.push(piece);
        break;
      case 'empty':
        this.#fail(invalid('a body without a content type'));
        break;
      case 'discarding':
        this.#discarded += piece.length;
        if (this.#discarded > mostDiscardedBytes) {
          this.#stop();
        }
        break;
    }
  }

  onResponseEnd(): void {
    const stage = this.#stage;
    this.#leave();
    const status = this.#status;
    const sessionId = this.#sessionId;
    if (stage === 'json') {
      const body = this.#body!.take();
      if (body.length > 0) {
        this.#resolve({ kind: 'json', status, sessionId, body });
      } else if (status < 300) {
        this.#resolve({ kind: 'accepted', status, sessionId });
      } else {
        this.#resolve({ kind: 'refused', status });
      }
    } else if (stage === 'empty') {
      this.#resolve({ kind: 'accepted', status, sessionId });
    } else if (stage === 'streaming') {
      this.#events!.end();
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    const stage = this.#stage;
    this.#leave();
    const progress = stage === 'queued' ? 'unsent' : stage === 'waiting' ? 'sent' : 'answered';
    const failure = toFailure(error, progress);
    if (stage === 'streaming') {
      this.#events!.fail(failure);
    } else {
      // Without effect where the promise is settled.
      this.#reject(failure);
    }
  }

  #openStream(): void {
    this.#stage = 'streaming';
    this.#events = new EventStream(this.#rules.limits.eventBytes, {
      pause: () => {
        this.#paused = true;
        this.#controller!.pause();
      },
      resume: () => {
        this.#paused = false;
        this.#controller!.resume();
      },
      refuse: (error) => this.#fail(error),
      abandon: () => this.#abandonStream(),
    });
    this.#resolve({ kind: 'stream', sessionId: this.#sessionId, events: this.#events });
  }

  /**
   * The consumer has what it wanted. A server usually ends the stream right behind its answer: the end is awaited
   * for a moment, because closing at once would cost a connection for every call that is answered with a stream.
   */
  #abandonStream(): void {
    if (this.#stage !== 'streaming') {
      return;
    }
    this.#release();
    if (this.#longLived) {
      this.#stop();
      return;
    }
    this.#stage = 'discarding';
    this.#heardAt = performance.now();
    if (this.#paused) {
      this.#paused = false;
      this.#controller!.resume();
    }
  }

  #settleAndDiscard(answer: UpstreamAnswer): void {
    this.#stage = 'discarding';
    this.#release();
    this.#resolve(answer);
  }

  /** Ends the call early with `reason` for whoever waits for it. */
  #fail(reason: unknown): void {
    const stage = this.#stage;
    if (stage === 'over' || stage === 'abandoned' || stage === 'discarding') {
      return;
    }
    this.#release();
    if (stage === 'streaming') {
      this.#events!.fail(reason);
    } else {
      this.#reject(reason);
    }
    if (stage === 'queued') {
      this.#stage = 'abandoned';
      this.#rules.deadlines.delete(this);
    } else {
      this.#stop();
    }
  }

  /** Closes the connection: nobody wants the rest of the answer. Undici then reports the end of the call. */
  #stop(): void {
    this.#stage = 'discarding';
    // Paused first, so that undici does not go on to the end of an answer which it has just given up.
    this.#controller!.pause();
    this.#controller!.abort(new GatewayError('upstream-closed'));
  }

  #release(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = undefined;
  }

  #leave(): void {
    this.#stage = 'over';
    this.#release();
    this.#rules.deadlines.delete(this);
    this.#lane.busy--;
  }
}
