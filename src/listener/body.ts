import type { Housekeeping } from './housekeeping.ts';
import type { HttpReply } from './reply.ts';

const empty = Buffer.alloc(0);

/**
 * Collects one request body: at most so many bytes, in at most so much time, without trailers. A body that breaks one
 * of these is answered here and never delivered.
 */
export class BodyReader {
  readonly startedAt = performance.now();
  readonly #reply: HttpReply;
  readonly #limit: number;
  readonly #housekeeping: Housekeeping;
  readonly #deliver: (body: Buffer) => void;
  /** Nearly every body is one chunk, which is then not copied. */
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;
  #length = 0;
  #over = false;

  constructor(reply: HttpReply, limit: number, housekeeping: Housekeeping, deliver: (body: Buffer) => void) {
    this.#reply = reply;
    this.#limit = limit;
    this.#housekeeping = housekeeping;
    this.#deliver = deliver;
    const { request } = reply;
    request.on('data', (chunk: Buffer) => this.#add(chunk));
    request.on('end', () => this.#end());
    request.on('close', () => this.#leave());
    housekeeping.bodies.add(this);
  }

  timeOut(): void {
    if (this.#over) return;
    this.#stop();
    this.#reply.refuse('request-timeout', `the body stopped after ${this.#length} bytes`);
  }

  #add(chunk: Buffer): void {
    if (this.#over) return;
    this.#length += chunk.length;
    this.#reply.connection.bodyBytes += chunk.length;
    if (this.#length > this.#limit) {
      this.#stop();
      this.#reply.refuse('body-too-large', `more than ${this.#limit} bytes`);
      return;
    }
    if (this.#first === undefined) this.#first = chunk;
    else if (this.#more === undefined) this.#more = [this.#first, chunk];
    else this.#more.push(chunk);
  }

  #end(): void {
    if (this.#over) return;
    this.#leave();
    // Trailers come after everything was checked. Nothing here uses them; whoever sends some hopes that somebody does.
    if (this.#reply.request.rawTrailers.length > 0) {
      this.#reply.refuse('header-invalid', 'trailers');
      return;
    }
    const body = this.#more === undefined ? this.#first : Buffer.concat(this.#more, this.#length);
    this.#first = undefined;
    this.#more = undefined;
    this.#deliver(body ?? empty);
  }

  #stop(): void {
    this.#leave();
    this.#reply.request.pause();
    this.#first = undefined;
    this.#more = undefined;
  }

  #leave(): void {
    this.#over = true;
    this.#housekeeping.bodies.delete(this);
  }
}
