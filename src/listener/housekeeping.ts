import { constants } from 'node:http2';
import type { BodyReader } from './body.ts';
import type { Connection } from './connections.ts';
import type { HttpEventStream } from './event-stream.ts';
import type { ListenerLimits } from './options.ts';
import { type AnyResponse, cutOff } from './reply.ts';

/** 16 KiB/s, because a phone on a bad day does more: slower than this is a client that holds answers in our memory. */
const slowestBytesPerMs = 16.384;

interface Unsent {
  readonly response: AnyResponse;
  readonly bytes: number;
  deadline: number;
}

/**
 * All that goes by time on one listener, on one timer: per-request timers would cost more than the requests.
 *
 * Every set is bounded by the connections that are allowed and the streams or requests that each may have.
 */
export class Housekeeping {
  /** Requests whose body is still arriving, oldest first. */
  readonly bodies = new Set<BodyReader>();
  readonly streams = new Set<HttpEventStream>();
  /** Every connection after its handshake, oldest first. */
  readonly connections = new Set<Connection>();
  readonly #unsent = new Map<AnyResponse, Unsent>();
  readonly #limits: ListenerLimits;
  readonly #timer: NodeJS.Timeout;

  constructor(limits: ListenerLimits) {
    this.#limits = limits;
    const shortest = Math.min(
      limits.bodyTimeout,
      limits.connectionAge,
      limits.streamKeepAlive,
      limits.idleTimeout,
      limits.stallTimeout,
    );
    this.#timer = setInterval(() => this.#tick(performance.now()), tickOf(shortest));
    this.#timer.unref();
  }

  /** Watches an answer that the client has not taken yet, and ends it where the client takes too long. */
  watchUnsent(response: AnyResponse, bytes: number): void {
    this.#unsent.set(response, { response, bytes, deadline: this.#flushDeadline(performance.now(), bytes) });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #flushDeadline(now: number, bytes: number): number {
    return now + this.#limits.stallTimeout + bytes / slowestBytesPerMs;
  }

  #tick(now: number): void {
    const { bodyTimeout, streamKeepAlive, stallTimeout } = this.#limits;
    for (const body of this.bodies) {
      // All have the same time, so the first that has some left ends the search.
      if (now - body.startedAt < bodyTimeout) break;
      body.timeOut();
    }
    for (const stream of this.streams) stream.tend(now, streamKeepAlive, stallTimeout);
    this.#tendConnections(now);
    this.#tendUnsent(now);
  }

  #tendConnections(now: number): void {
    const { connectionAge, idleTimeout } = this.#limits;
    for (const connection of this.connections) {
      if (now - connection.openedAt >= connectionAge) connection.retire();
      // HTTP/1.1 has Node's own keep-alive timeout; an HTTP/2 session without streams would stay for ever.
      const { session } = connection;
      if (session === undefined || connection.underWay.size > 0) continue;
      if (now - connection.idleSince < idleTimeout) continue;
      if (now - connection.idleSince < idleTimeout * 2) session.close();
      else connection.destroy();
    }
  }

  #tendUnsent(now: number): void {
    for (const [response, unsent] of this.#unsent) {
      if (isOver(response) || response.writableLength === 0) {
        this.#unsent.delete(response);
      } else if (response.socket === null) {
        // A pipelined answer waits for its turn, not for the client.
        unsent.deadline = this.#flushDeadline(now, unsent.bytes);
      } else if (now >= unsent.deadline) {
        this.#unsent.delete(response);
        cutOff(response, constants.NGHTTP2_CANCEL);
      }
    }
  }
}

/** Node's HTTP/2 response has no `destroyed` of its own. */
function isOver(response: AnyResponse): boolean {
  return response.writableFinished || (response.stream ?? response).destroyed;
}

/** A quarter of the shortest span, so that nothing is later than that; never so often that the timer itself is a load. */
function tickOf(shortest: number): number {
  return Math.min(1000, Math.max(10, Math.floor(shortest / 4)));
}
