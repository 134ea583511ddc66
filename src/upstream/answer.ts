import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamMessage } from '../pipeline/upstream-port.ts';
import type { CallEnd, CallRules } from './call-rules.ts';
import { progressAt, type Stage, timedStages } from './call-stage.ts';
import { CallTimes } from './call-times.ts';
import type { Expiring } from './deadlines.ts';
import { EventStream, noRoom } from './event-stream.ts';
import { invalid, toFailure } from './failure.ts';
import { readIncoming } from './headers.ts';
import { type Holding, uncounted } from './held-bytes.ts';
import { JsonBody } from './json-body.ts';
import type { Lane } from './lane.ts';
import { planFor, tooLarge } from './plan.ts';

export type { CallEnd, CallRules } from './call-rules.ts';

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
  readonly #caller: string | undefined;
  readonly #longLived: boolean;
  readonly #times: CallTimes;
  readonly #holding: Holding;
  #bodyBytes = 0;
  /** As they come, comments and all: events alone could be counted by who reads them. */
  #streamBytes = 0;
  readonly #mostStreamBytes: number;
  #signal: AbortSignal | undefined;
  /** A function: a listener that is an object stays reachable in Node until a full collection. */
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);
  readonly #end: CallEnd;
  #controller: Dispatcher.DispatchController | undefined;
  #stage: Stage = 'queued';
  #status = 0;
  #sessionId: string | undefined;
  #body: JsonBody | undefined;
  #events: EventStream | undefined;
  #interim = 0;
  #discarded = 0;

  constructor(
    rules: CallRules,
    lane: Lane,
    message: Pick<UpstreamMessage, 'longLived' | 'signal' | 'total' | 'caller'>,
    end: CallEnd,
    since?: number,
  ) {
    this.#rules = rules;
    this.#lane = lane;
    this.#longLived = message.longLived;
    this.#mostStreamBytes = rules.limits[message.longLived ? 'streamBytes' : 'callBytes'];
    this.#times = new CallTimes(rules.timeouts, message, since);
    this.#holding = rules.held?.open() ?? uncounted;
    this.#end = end;
    this.#signal = message.signal;
    this.#signal.addEventListener('abort', this.#onAbort);
    this.#caller = message.caller?.principal.id;
    lane.enter(this.#caller);
    rules.deadlines.add(this);
  }

  checkTime(now: number): void {
    if (this.#stage === 'discarding') {
      if (now - this.#times.heardAt >= mostDiscardingMs) {
        this.#stop();
      }
      return;
    }
    const failure = this.#times.check(timedStages[this.#stage], now);
    if (failure !== undefined) {
      this.#fail(failure);
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
    this.#times.heardAt = performance.now();
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
    this.#times.heard = true;
    switch (this.#stage) {
      case 'json':
        this.#bodyBytes += piece.length;
        if (!this.#body!.add(piece)) {
          this.#fail(tooLarge('the body', this.#rules.limits.resultBytes));
        } else if (!this.#holding.hold(this.#bodyBytes)) {
          this.#fail(noRoom());
        }
        break;
      case 'streaming':
        this.#streamBytes += piece.length;
        if (this.#streamBytes > this.#mostStreamBytes) {
          this.#fail(tooLarge('the stream', this.#mostStreamBytes));
        } else {
          this.#events!.push(piece);
        }
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
      this.#body = undefined;
      if (body.length > 0) {
        this.#end.resolve({ kind: 'json', status, sessionId, body, done: () => this.#holding.hold(0) });
      } else if (status < 300) {
        this.#end.resolve({ kind: 'accepted', status, sessionId });
      } else {
        this.#end.resolve({ kind: 'refused', status });
      }
    } else if (stage === 'empty') {
      this.#end.resolve({ kind: 'accepted', status, sessionId });
    } else if (stage === 'streaming') {
      this.#events!.end();
      this.#end.streamEnded();
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    const stage = this.#stage;
    this.#leave();
    const progress = progressAt(stage);
    const failure = toFailure(error, progress);
    if (stage === 'streaming') {
      this.#events!.fail(failure);
      this.#end.streamFailed(failure);
    } else if (stage !== 'abandoned' && stage !== 'discarding') {
      this.#holding.hold(0);
      this.#end.reject(failure, progress);
    }
  }

  #openStream(): void {
    this.#stage = 'streaming';
    this.#events = new EventStream(
      this.#rules.limits.eventBytes,
      {
        pause: () => {
          this.#times.paused = true;
          this.#controller!.pause();
        },
        resume: () => {
          this.#times.paused = false;
          this.#controller!.resume();
        },
        refuse: (error) => this.#fail(error),
        abandon: () => this.#abandonStream(),
      },
      this.#holding,
    );
    this.#end.resolve({ kind: 'stream', sessionId: this.#sessionId, events: this.#events });
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
    this.#end.streamEnded();
    if (this.#longLived) {
      this.#stop();
      return;
    }
    this.#stage = 'discarding';
    this.#times.heardAt = performance.now();
    if (this.#times.paused) {
      this.#times.paused = false;
      this.#controller!.resume();
    }
  }

  #settleAndDiscard(answer: UpstreamAnswer): void {
    this.#stage = 'discarding';
    this.#release();
    this.#end.resolve(answer);
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
      this.#end.streamFailed(reason);
    } else {
      this.#holding.hold(0);
      this.#end.reject(reason, progressAt(stage));
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
    this.#lane.leave(this.#caller);
  }
}
