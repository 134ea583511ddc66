import type { EventStream } from '../pipeline/reply.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { AnyResponse } from './node-messages.ts';

/** How a stream tells the reply that it belongs to. */
export interface StreamOwner {
  /** All is written, and nothing more will be. */
  ended(): void;
  /** The client does not read: give it up. */
  cut(): void;
  /** Ended from this side before the exchange was over. */
  dismissed(): void;
}

/** A comment is no event: clients ignore it, balancers count it as life (WHATWG HTML, server-sent events). */
const keepAlive = Buffer.from(':\n\n');

/** One open `text/event-stream` answer. */
export class HttpEventStream implements EventStream {
  /** Serves no single call: there is nothing to wait for when the listener stops. */
  readonly standing: boolean;
  /** When something was last written. Monotonic milliseconds. */
  #spokeAt = performance.now();
  /** Since when the client has not taken what was written. */
  #waitingSince: number | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;
  #over = false;
  readonly #response: AnyResponse;
  readonly #housekeeping: Housekeeping;
  readonly #owner: StreamOwner;

  constructor(response: AnyResponse, housekeeping: Housekeeping, standing: boolean, owner: StreamOwner) {
    this.standing = standing;
    this.#response = response;
    this.#housekeeping = housekeeping;
    this.#owner = owner;
    response.on('drain', () => this.#release());
  }

  /** The promise always resolves, also when the client goes: whoever writes learns that from `onClientGone`. */
  write(event: Buffer): Promise<void> | undefined {
    if (this.#over) return undefined;
    this.#spokeAt = performance.now();
    if (this.#response.write(event)) return undefined;
    this.#waitingSince ??= this.#spokeAt;
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  end(): void {
    if (this.#over) return;
    this.#close();
    this.#response.end();
    this.#owner.ended();
  }

  /** Ends the stream cleanly although the exchange is not over; the exchange sees its client go. */
  dismiss(): void {
    if (this.#over) return;
    this.#close();
    this.#response.end();
    this.#owner.dismissed();
  }

  /** The client is gone: writes do nothing from here on. */
  abandon(): void {
    this.#close();
  }

  /** Called often. Keeps a silent stream alive, and gives up a client that has stopped reading. */
  tend(now: number, keepAliveMs: number, stallMs: number): void {
    if (this.#waitingSince !== undefined) {
      if (now - this.#waitingSince >= stallMs) this.#owner.cut();
      return;
    }
    if (now - this.#spokeAt < keepAliveMs) return;
    // With data still unsent a comment would only pile up, and would hide the stall.
    if (this.#response.writableLength > 0) return;
    void this.write(keepAlive);
  }

  #close(): void {
    this.#over = true;
    this.#housekeeping.streams.delete(this);
    this.#release();
  }

  #release(): void {
    this.#waitingSince = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }
}
