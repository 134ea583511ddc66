import { GatewayError } from '../errors.ts';
import { type SseEvent, SseReader } from '../mcp/sse.ts';
import type { UpstreamEvent } from '../pipeline/upstream-port.ts';
import { type Holding, uncounted } from './held-bytes.ts';

/** The connection below a stream of events. */
export interface EventSource {
  pause(): void;
  resume(): void;
  /** The bytes break a rule: ends the call with this error. */
  refuse(error: unknown): void;
  /** The consumer wants no more. */
  abandon(): void;
}

/** 64 events or 256KiB: enough to keep a consumer busy, little enough to hold for each of a thousand streams. */
const mostPendingEvents = 64;
const mostPendingBytes = 256 * 1024;

/**
 * 16 events of one stream in a row, then others have their turn: one piece of input may hold hundreds of small events, and
 * a server that sends nothing else would keep all other calls waiting for each piece.
 */
const mostInARow = 16;

type Waiter = {
  readonly resolve: (result: IteratorResult<UpstreamEvent, undefined>) => void;
  readonly reject: (reason: unknown) => void;
};

const finished: IteratorResult<UpstreamEvent, undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Bytes of a `text/event-stream` in, events out, one consumer.
 *
 * Between the two stands a queue of stated size. Above it the connection is paused, so that a slow consumer slows
 * the upstream's socket; at half of it the connection goes on. What one piece of input holds may exceed the size
 * once: a piece is at most what one read from the socket gives (64KiB).
 */
export class EventStream implements AsyncIterableIterator<UpstreamEvent, undefined> {
  readonly #source: EventSource;
  readonly #reader: SseReader;
  readonly #holding: Holding;
  #queue: UpstreamEvent[] = [];
  #head = 0;
  #bytes = 0;
  #paused = false;
  /** Events handed out since the event loop last turned, or since there was none to hand out. */
  #inRow = 0;
  #waiter: Waiter | undefined;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;

  /**
   * @param eventBytes the most that the data of one event may have
   * @param holding what events that are not whole, or wait, count as
   */
  constructor(eventBytes: number, source: EventSource, holding: Holding = uncounted) {
    this.#source = source;
    this.#holding = holding;
    // One data line may hold all the data of an event, behind its field name.
    this.#reader = new SseReader({ maxLineBytes: eventBytes + 'data: '.length, maxEventBytes: eventBytes });
  }

  /** Takes the next bytes from the connection. Bytes that come while it is paused are taken too. */
  push(piece: Buffer): void {
    if (this.#ended) {
      return;
    }
    const decoded = this.#reader.push(piece);
    if (!decoded.ok) {
      this.#source.refuse(new GatewayError(decoded.failure.code, { cause: decoded.failure }));
      return;
    }
    for (const event of decoded.value) {
      this.#add(event);
    }
    if (!this.#holding.hold(this.#reader.held + this.#bytes)) {
      this.#source.refuse(noRoom());
      return;
    }
    if (!this.#paused && this.#isFull(1)) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  /** The connection gave the last byte. An event without its blank line is dropped (WHATWG HTML 9.2.6). */
  end(): void {
    this.#ended = true;
    this.#holding.hold(this.#bytes);
    if (this.#head === this.#queue.length) {
      this.#answerWaiter(finished);
    }
  }

  /** The call failed. What came whole before is still handed out, then `reason` is thrown once. */
  fail(reason: unknown): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#holding.hold(this.#bytes);
    if (this.#waiter !== undefined) {
      const { reject } = this.#waiter;
      this.#waiter = undefined;
      reject(reason);
    } else {
      this.#failure = { reason };
    }
  }

  next(): Promise<IteratorResult<UpstreamEvent, undefined>> {
    if (this.#inRow >= mostInARow) {
      this.#inRow = 0;
      return new Promise((resolve) => setImmediate(() => resolve(this.next())));
    }
    const event = this.#take();
    if (event !== undefined) {
      this.#inRow += 1;
      return Promise.resolve({ done: false, value: event });
    }
    this.#inRow = 0;
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#ended) {
      return Promise.resolve(finished);
    }
    if (this.#waiter !== undefined) {
      return Promise.reject(new TypeError('next() was called again before it answered'));
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<UpstreamEvent, undefined>> {
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#holding.hold(0);
    this.#failure = undefined;
    if (!this.#ended) {
      this.#ended = true;
      this.#answerWaiter(finished);
      this.#source.abandon();
    }
    return Promise.resolve(finished);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(event: SseEvent): void {
    // Clients of every revision ignore other types; a type that one reader ignores and the next does not would be
    // a way round inspection.
    if (event.event !== 'message') {
      return;
    }
    const { data, id, retry } = event;
    if (this.#waiter !== undefined) {
      this.#answerWaiter({ done: false, value: { data, id, retry } });
      return;
    }
    this.#queue.push({ data: unshared(data), id, retry });
    this.#bytes += data.length;
  }

  #take(): UpstreamEvent | undefined {
    const event = this.#queue[this.#head];
    if (event === undefined) {
      return undefined;
    }
    this.#head++;
    this.#bytes -= event.data.length;
    this.#holding.hold(this.#ended ? this.#bytes : this.#reader.held + this.#bytes);
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    if (this.#paused && !this.#isFull(0.5)) {
      this.#paused = false;
      if (!this.#ended) {
        this.#source.resume();
      }
    }
    return event;
  }

  #isFull(share: number): boolean {
    return (
      this.#queue.length - this.#head > mostPendingEvents * share || this.#bytes > mostPendingBytes * share
    );
  }

  #answerWaiter(result: IteratorResult<UpstreamEvent, undefined>): void {
    if (this.#waiter !== undefined) {
      const { resolve } = this.#waiter;
      this.#waiter = undefined;
      resolve(result);
    }
  }
}

/** All upstreams together hold as many bytes of answers as they may. The upstream has acted: the call is not to be repeated. */
export function noRoom(): GatewayError {
  return new GatewayError('answer-dropped', {
    cause: new Error('too many bytes of answers are held at once'),
  });
}

/**
 * Data that is only a small part of the piece it came in is copied: a short event between long comments would
 * otherwise keep the whole piece in memory while it waits, uncounted.
 */
function unshared(data: Buffer): Buffer {
  if (data.buffer.byteLength <= 4 * data.length) {
    return data;
  }
  const copy = Buffer.allocUnsafeSlow(data.length);
  copy.set(data);
  return copy;
}
