import type { GatewayError } from '../errors.ts';
import type { RequestId } from '../mcp/frame.ts';
import type { Era } from '../mcp/revision.ts';
import { encodeEvent } from '../mcp/sse.ts';
import { errorBody, errorStatus } from './error-answer.ts';
import type { EventStream, Reply, ReplyHeaders } from './reply.ts';

/**
 * Where one exchange puts what comes back. Exactly one of `final`, `accepted`, `fail` and `end` is called, last.
 */
export interface Sink {
  /** Relays one frame before the answer. Opens the event stream on first use. */
  event(data: Buffer, id: string | undefined, retry: number | undefined): Promise<void> | undefined;
  /** Opens the event stream even though nothing is to be written yet. */
  open(): void;
  /** The answer to a request. */
  final(data: Buffer, status: number, eventId: string | undefined): void;
  /** The answer to what has no JSON-RPC answer. */
  accepted(status: number): void;
  fail(error: GatewayError, id: RequestId | undefined, era: Era): void;
  /** Ends a stream that has no final answer. */
  end(): void;
  /** The HTTP status that the client sees if this one is given now: 200 once a stream is open, whatever follows in it. */
  statusOf(status: number, id: RequestId | undefined): number;
  /** Bytes written so far. */
  readonly bytes: number;
}

const jsonHeaders: ReplyHeaders = { 'content-type': 'application/json' };

/**
 * The sink of an exchange that has an HTTP reply to itself. `headers` are read when the answer begins.
 *
 * @param standing whether its stream is meant to stay open: see `Reply.stream`
 */
export function createReplySink(reply: Reply, headers: () => ReplyHeaders, standing: boolean): Sink {
  return new ReplySink(reply, headers, standing);
}

/**
 * A class, and not an object literal with `get bytes()`: the engine gives each object from such a literal a shape of
 * its own, and the shape, long-lived, holds on to the getter and with it to the whole exchange.
 */
class ReplySink implements Sink {
  bytes = 0;
  readonly #reply: Reply;
  readonly #headers: () => ReplyHeaders;
  readonly #standing: boolean;
  #stream: EventStream | undefined;

  constructor(reply: Reply, headers: () => ReplyHeaders, standing: boolean) {
    this.#reply = reply;
    this.#headers = headers;
    this.#standing = standing;
  }

  open(): void {
    this.#openStream();
  }

  event(data: Buffer, id: string | undefined, retry: number | undefined): Promise<void> | undefined {
    const event = encodeEvent(data, id, retry);
    this.bytes += event.length;
    return this.#openStream().write(event);
  }

  final(data: Buffer, status: number, eventId: string | undefined): void {
    if (this.#stream === undefined) {
      this.bytes += data.length;
      this.#reply.send(status, { ...jsonHeaders, ...this.#headers() }, data);
      return;
    }
    const event = encodeEvent(data, eventId);
    this.bytes += event.length;
    void this.#stream.write(event);
    this.#stream.end();
  }

  accepted(status: number): void {
    this.#reply.send(status, this.#headers(), undefined);
  }

  fail(error: GatewayError, id: RequestId | undefined, era: Era): void {
    const body = errorBody(error, id);
    this.bytes += body.length;
    if (this.#stream === undefined) {
      this.#reply.send(errorStatus(error, id, era), { ...jsonHeaders, ...error.headers }, body);
      return;
    }
    // A stream that is already open can only carry the error to a waiting request; without an id it just ends.
    if (id !== undefined) void this.#stream.write(encodeEvent(body));
    this.#stream.end();
  }

  end(): void {
    this.#openStream().end();
  }

  statusOf(status: number): number {
    return this.#stream === undefined ? status : 200;
  }

  #openStream(): EventStream {
    this.#stream ??= this.#reply.stream(this.#headers(), this.#standing);
    return this.#stream;
  }
}

/**
 * Sinks for the elements of one batch (2025-03-26): all answers share one event stream, which ends with the last.
 * `open` is called once, for the first element that has something to say.
 */
export function createBatchSinks(reply: Reply, headers: () => ReplyHeaders, count: number): readonly Sink[] {
  let stream: EventStream | undefined;
  let failure: { readonly error: GatewayError; readonly era: Era } | undefined;
  let left = count;
  const openStream = (): EventStream => {
    stream ??= reply.stream(headers(), false);
    return stream;
  };
  const done = (): void => {
    left -= 1;
    if (left > 0) return;
    if (stream !== undefined) stream.end();
    else if (failure === undefined) reply.send(202, headers(), undefined);
    else {
      const status = errorStatus(failure.error, undefined, failure.era);
      reply.send(status, { ...jsonHeaders, ...failure.error.headers }, errorBody(failure.error, undefined));
    }
  };
  return Array.from({ length: count }, () => {
    const write = (data: Buffer, id?: string, retry?: number): Promise<void> | undefined => {
      const event = encodeEvent(data, id, retry);
      sink.bytes += event.length;
      return openStream().write(event);
    };
    const sink: Sink & { bytes: number } = {
      bytes: 0,
      open() {
        openStream();
      },
      event: write,
      final(data, _status, eventId) {
        void write(data, eventId);
        done();
      },
      accepted() {
        done();
      },
      fail(error, id, era) {
        if (id === undefined) failure ??= { error, era };
        else void write(errorBody(error, id));
        done();
      },
      end() {
        done();
      },
      // What has an id is answered in the stream, which it opens if need be.
      statusOf: (status, id) => (stream === undefined && id === undefined ? status : 200),
    };
    return sink;
  });
}
