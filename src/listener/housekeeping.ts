import { constants } from 'node:http2';
import type { BodyReader } from './body.ts';
import type { Connection } from './connections.ts';
import { cutOff } from './cut-off.ts';
import type { HttpEventStream } from './event-stream.ts';
import { saysTooMuch } from './http2-floods.ts';
import type { AnyResponse } from './node-messages.ts';
import type { ListenerLimits } from './options.ts';

/** 16 KiB/s, because a phone on a bad day does more: slower than this is a client that holds answers in our memory. */
const slowestBytesPerMs = 16.384;

interface Unsent {
  readonly response: AnyResponse;
  readonly bytes: number;
  /** Monotonic milliseconds. */
  readonly since: number;
  deadline: number;
}

export interface HousekeepingDependencies {
  /** An HTTP/2 connection says far more than its requests: it is to be closed. */
  onFlood(connection: Connection): void;
  /** An answer was cut off because clients have not taken too much in all. */
  onUnsentCut(): void;
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
  #unsentBytes = 0;
  readonly #unsent = new Map<AnyResponse, Unsent>();
  readonly #limits: ListenerLimits;
  readonly #deps: HousekeepingDependencies;
  readonly #timer: NodeJS.Timeout;

  constructor(limits: ListenerLimits, deps: HousekeepingDependencies) {
    this.#deps = deps;
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

  /**
   * Watches an answer that the client has not taken yet, and ends it where the client takes too long, or where all that is
   * unsent gets too much: then those that held most for longest go first, so that who is only slow for a moment stays.
   */
  watchUnsent(response: AnyResponse, bytes: number): void {
    const since = performance.now();
    this.#unsent.set(response, { response, bytes, since, deadline: this.#flushDeadline(since, bytes) });
    this.#unsentBytes += bytes;
    if (this.#unsentBytes <= this.#limits.unsentBytes) return;
    // What was taken in the meantime is known at the next tick only.
    this.#tendUnsent(since);
    while (this.#unsentBytes > this.#limits.unsentBytes) {
      this.#cutUnsent(this.#heaviest(since));
      this.#deps.onUnsentCut();
    }
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
    const { connectionAge, headerBytes, idleTimeout } = this.#limits;
    for (const connection of this.connections) {
      if (now - connection.openedAt >= connectionAge) connection.retire();
      // HTTP/1.1 has Node's own keep-alive timeout; an HTTP/2 session without streams would stay for ever.
      const { session } = connection;
      if (session === undefined) continue;
      if (saysTooMuch(connection, headerBytes)) this.#deps.onFlood(connection);
      if (connection.underWay.size > 0) continue;
      if (now - connection.idleSince < idleTimeout) continue;
      if (now - connection.idleSince < idleTimeout * 2) session.close();
      else connection.destroy();
    }
  }

  #tendUnsent(now: number): void {
    for (const [response, unsent] of this.#unsent) {
      if (isOver(response) || response.writableLength === 0) {
        this.#forgetUnsent(unsent);
      } else if (response.socket === null) {
        // A pipelined answer waits for its turn, not for the client.
        unsent.deadline = this.#flushDeadline(now, unsent.bytes);
      } else if (now >= unsent.deadline) {
        this.#cutUnsent(unsent);
      }
    }
  }

  /** By bytes and the time for which they were held. There is at least one. */
  #heaviest(now: number): Unsent {
    const weight = ({ bytes, since }: Unsent): number => bytes * (now - since);
    let heaviest: Unsent | undefined;
    for (const unsent of this.#unsent.values()) {
      if (heaviest === undefined || weight(unsent) > weight(heaviest)) heaviest = unsent;
    }
    return heaviest!;
  }

  #cutUnsent(unsent: Unsent): void {
    this.#forgetUnsent(unsent);
    cutOff(unsent.response, constants.NGHTTP2_CANCEL);
  }

  #forgetUnsent({ response, bytes }: Unsent): void {
    if (this.#unsent.delete(response)) this.#unsentBytes -= bytes;
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
