import { constants } from 'node:http2';
import { type ErrorCode, errorTable, type GatewayError } from '../errors.ts';
import type { EventStream, Reply, ReplyHeaders } from '../pipeline/reply.ts';
import type { Connection, UnderWay } from './connections.ts';
import { cutOff } from './cut-off.ts';
import { HttpEventStream } from './event-stream.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { AnyRequest, AnyResponse } from './node-messages.ts';
import { knownVerb, type Refusal, refusalBody } from './refusal.ts';
import { endUnread, endWhenRead, isWorthReading } from './unread.ts';

/** What replies share on one listener. */
export interface ReplyContext {
  readonly housekeeping: Housekeeping;
  onRefusal(refusal: Refusal): void;
  /** Once true, new sockets are closed at once, and streams that would stay open end as soon as they begin. */
  stopping(): boolean;
}

/**
 * The answer to one request, on either HTTP version, written straight to Node's response.
 *
 * Exactly one of `send`, `stream`, `publish` and `refuse` is called, once. After the client has gone all of them do nothing.
 */
export class HttpReply implements Reply, UnderWay {
  readonly request: AnyRequest;
  readonly connection: Connection;
  readonly verb: string;
  /** Set once the path is known to lead somewhere. */
  upstream: string | undefined;
  /** Where the ordinary headers start in `request.rawHeaders`. */
  ordinaryFrom = 0;
  /** In an overload it was let in by who its caller is. */
  letIn = false;
  /** The client waits for `100 Continue` before it sends the body. */
  awaitsContinue = false;
  readonly #response: AnyResponse;
  readonly #context: ReplyContext;
  /** How many requests had come on its connection, this one included. */
  readonly #ordinal: number;
  #answered = false;
  #complete = false;
  #gone = false;
  #saidClose = false;
  #stream: HttpEventStream | undefined;
  #goneListeners: (() => void)[] | undefined;

  constructor(request: AnyRequest, response: AnyResponse, connection: Connection, context: ReplyContext) {
    this.request = request;
    this.connection = connection;
    this.verb = knownVerb(request.method);
    this.#response = response;
    this.#context = context;
    connection.requests += 1;
    this.#ordinal = connection.requests;
    connection.underWay.add(this);
    // An 'error' without listener ends the process, and a client that resets at the wrong moment causes one.
    request.on('error', ignore);
    response.on('error', ignore);
    // A reset stream says nothing about its connection; on HTTP/1.1 the connection tells all its replies by itself.
    if (connection.session !== undefined) response.once('close', () => this.clientGone());
  }

  get answered(): boolean {
    return this.#answered;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Whether part of an answer is on its way, so that another one would be read as garbage. */
  get headSent(): boolean {
    return this.#response.headersSent;
  }

  /** @throws TypeError for a header that cannot be sent: nothing has been sent then, and the request can still be refused */
  send(status: number, headers: ReplyHeaders, body: Buffer | undefined): void {
    this.#begin(status, headers, status === 204 ? undefined : (body?.length ?? 0));
    if (this.#gone) return;
    this.#response.end(body);
    this.#finish(body?.length ?? 0);
  }

  /**
   * Answers with what is no secret. Not told of: nothing was refused, and nobody has said who it is.
   *
   * @param length of the body, also where it is not sent because only the head was asked for
   */
  publish(
    status: number,
    headers: ReplyHeaders,
    caching: string,
    length: number | undefined,
    body: Buffer | undefined,
  ): void {
    if (this.#answered || this.#gone) return;
    this.#answered = true;
    this.#head(status, headers, length, caching);
    endUnread(body, this.request, this.#response);
    this.#finish(body?.length ?? 0);
  }

  /** @throws TypeError as `send` */
  stream(headers: ReplyHeaders, standing: boolean): EventStream {
    const head = { ...headers, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    this.#begin(200, head, undefined);
    const stream = new HttpEventStream(this.#response, this.#context.housekeeping, standing, {
      ended: () => this.#finish(this.#response.writableLength),
      cut: () => this.abort(),
      dismissed: () => {
        this.#closeAfterwards();
        this.clientGone();
      },
    });
    this.#stream = stream;
    if (this.#gone) {
      stream.abandon();
      return stream;
    }
    this.#response.flushHeaders();
    this.#context.housekeeping.streams.add(stream);
    // A connection that was open before may still ask for one, and would hold up the stop until its deadline.
    if (standing && this.#context.stopping()) stream.dismiss();
    return stream;
  }

  /** May be called for several listeners. One that comes too late is called at once. */
  onClientGone(listener: () => void): void {
    if (this.#gone) {
      listener();
      return;
    }
    if (this.#complete) return;
    this.#goneListeners ??= [];
    this.#goneListeners.push(listener);
  }

  /** The socket or stream closed, or the stream was ended from this side. Does nothing once the answer is complete. */
  clientGone(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#gone = true;
    this.#leave();
    this.#stream?.abandon();
    const listeners = this.#goneListeners;
    this.#goneListeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  /**
   * Refuses the request, tells it once, and ends the connection where part of the request is still to come: what a peer
   * sends after a refusal must not be read as its next request.
   *
   * @param tell who is told, where it is not told as other refusals are
   */
  refuse(
    code: ErrorCode,
    cause: unknown,
    headers: ReplyHeaders = {},
    tell: (refusal: Refusal) => void = (refusal) => this.#context.onRefusal(refusal),
  ): void {
    if (this.#answered || this.#gone) return;
    const { status } = errorTable[code];
    tell({
      peer: this.connection.peer,
      verb: this.verb,
      upstream: this.upstream,
      code,
      status,
      cause,
    });
    this.#answered = true;
    const body = refusalBody(code);
    const whole = this.request.complete;
    // Also where framing is odd: what follows on the connection may not be what it seems. HTTP/2 has a frame for each end,
    // and no header that says so: marked as closing, its connection would never get its GOAWAY.
    const isLast = this.connection.session === undefined && (!whole || code === 'header-invalid');
    if (isLast) this.connection.closing = true;
    this.#head(status, { ...headers, 'content-type': 'application/json' }, body.length, undefined, isLast);
    if (whole || this.connection.session !== undefined) endUnread(body, this.request, this.#response);
    else endWhenRead(code, body, this.request, this.#response, this.connection);
    this.#finish(body.length);
  }

  /**
   * Refuses before the body is read, and keeps the connection where what is still to come of the body is known to be little:
   * it is thrown away as it comes. To be called only where the framing was found to be plain. Tells nobody.
   */
  refuseUnread(error: GatewayError): void {
    const { request } = this;
    if (this.connection.session !== undefined || !isWorthReading(request, this.awaitsContinue)) {
      this.refuse(error.code, error.cause, error.headers, nobody);
      return;
    }
    if (this.#answered || this.#gone) return;
    this.#answered = true;
    const body = refusalBody(error.code);
    this.#head(
      errorTable[error.code].status,
      { ...error.headers, 'content-type': 'application/json' },
      body.length,
    );
    request.resume();
    this.#response.end(body);
    this.#finish(body.length);
  }

  /** Ends the connection (HTTP/1.1) or the stream (HTTP/2) in the middle of an answer, so that it cannot pass for whole. */
  abort(): void {
    if (this.#complete) return;
    cutOff(this.#response, constants.NGHTTP2_INTERNAL_ERROR);
    this.clientGone();
  }

  #begin(status: number, headers: ReplyHeaders, length: number | undefined): void {
    if (this.#answered) throw new Error('A request is answered once');
    if (!this.#gone) this.#head(status, headers, length);
    this.#answered = true;
  }

  /** @param isLast whatever has come behind it on its connection */
  #head(
    status: number,
    headers: ReplyHeaders,
    length: number | undefined,
    caching = 'no-store',
    isLast = false,
  ): void {
    const { connection } = this;
    const head: Record<string, string | number> = { ...headers, ...ownHeaders, 'cache-control': caching };
    if (length !== undefined) head['content-length'] = length;
    // HTTP/2 has no such header and says GOAWAY instead (RFC 9113, section 8.2.2).
    // Others may be under way behind it in a pipeline: Node would throw their answers away.
    if (
      connection.closing &&
      connection.session === undefined &&
      (isLast || this.#ordinal === connection.requests)
    ) {
      head['connection'] = 'close';
      this.#saidClose = true;
      connection.saidClose = true;
    }
    this.#response.writeHead(status, head);
  }

  #finish(unsent: number): void {
    this.#complete = true;
    this.#goneListeners = undefined;
    this.#leave();
    this.#closeAfterwards();
    if (this.#response.writableLength > 0) this.#context.housekeeping.watchUnsent(this.#response, unsent);
  }

  /**
   * An event stream that began before its connection was retired could not say `Connection: close` in its head, nor could an
   * answer that waits in a pipeline: the connection ends with the last of them that the client gets.
   */
  #closeAfterwards(): void {
    const { connection } = this;
    if (connection.session !== undefined || this.#saidClose) return;
    if (!connection.closing && this.#response.socket !== null) return;
    connection.unflushed += 1;
    this.#response.once('finish', () => {
      connection.unflushed -= 1;
      const isLast = connection.underWay.size === 0 && connection.unflushed === 0;
      // Where a head said so, Node ends the connection after that answer.
      if (isLast && connection.closing && !connection.saidClose) connection.socket.destroySoon();
    });
  }

  #leave(): void {
    const { connection } = this;
    connection.underWay.delete(this);
    if (connection.underWay.size === 0) connection.idleSince = performance.now();
  }
}

const ownHeaders = { 'x-content-type-options': 'nosniff' };

function ignore(): void {}
function nobody(): void {}
