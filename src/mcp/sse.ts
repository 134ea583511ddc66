import { type Decoded, type DecodeFailure, decoded, toFailure } from './failure.ts';

export interface SseEvent {
  /** Type of the event; `message` where the stream names none. Only `message` carries protocol frames. */
  readonly event: string;
  /** The data lines, joined with LF. Not yet proven to be UTF-8. */
  readonly data: Buffer;
  /** As this event (or a block without data before it) set it; an empty id resets the client's. */
  readonly id: string | undefined;
  /** Milliseconds. */
  readonly retry: number | undefined;
}

export interface SseLimits {
  readonly maxLineBytes: number;
  /** Bytes of one event's data lines, their line ends included. */
  readonly maxEventBytes: number;
}

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const space = 0x20;
const empty: Buffer = Buffer.alloc(0);
const lineEnd = Buffer.from('\n');
/** An id has to fit into the header in which the client brings it back. */
const maxIdBytes = 1024;
/** A longer wait than a day is not meant: setTimeout cannot count beyond 2^31 ms. */
const maxRetry = 86_400_000;

/**
 * Reads a stream of Server-Sent Events (WHATWG HTML 9.2.5 and 9.2.6), whatever the chunks are cut like.
 *
 * LF, CR and CRLF all end a line. One byte order mark at the very start is dropped. An event without its blank line
 * when the stream ends is dropped: there is nothing to call then. Bytes of data are not decoded, so that the frame
 * decoder sees them as they came and refuses what is not UTF-8. An id of more than 1024 bytes is ignored.
 */
export class SseReader {
  readonly #limits: SseLimits;
  /** The part of a line whose end has not come yet. */
  readonly #line = new Joined();
  /** The last byte was a CR: an LF that follows belongs to it. */
  #afterCr = false;
  #firstLine = true;
  readonly #data = new Joined();
  #dataLines = 0;
  #event = '';
  #id: string | undefined;
  #retry: number | undefined;
  #failure: DecodeFailure | undefined;

  constructor(limits: SseLimits) {
    this.#limits = limits;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @returns the events that became complete; or `result-too-large` once a line or an event is over its limit: the
   *   stream is then unusable, and every later call answers the same
   */
  push(chunk: Buffer): Decoded<readonly SseEvent[]> {
    const events: SseEvent[] = [];
    let start = 0;
    // Searched for once and kept: a chunk without any CR must not be searched for one at every line.
    let nextLf = -1;
    let nextCr = -1;
    while (this.#failure === undefined && start < chunk.length) {
      if (this.#afterCr) {
        this.#afterCr = false;
        if (chunk[start] === lf) {
          start++;
          continue;
        }
      }
      if (nextLf < start) nextLf = find(chunk, lf, start);
      if (nextCr < start) nextCr = find(chunk, cr, start);
      const end = Math.min(nextLf, nextCr);
      this.#take(chunk.subarray(start, end));
      if (end === chunk.length) break;
      this.#afterCr = end === nextCr;
      this.#endLine(events);
      start = end + 1;
    }
    // Events that came whole before the offence are dropped with it: the stream is not one that can be trusted.
    return this.#failure === undefined ? decoded(events) : { ok: false, failure: this.#failure };
  }

  /** Bytes of what is not whole yet. */
  get held(): number {
    return this.#line.length + this.#data.length;
  }

  #take(part: Buffer): void {
    if (this.#line.length + part.length > this.#limits.maxLineBytes) {
      this.#fail('a line of the event stream is too long');
    } else {
      this.#line.add(part);
    }
  }

  #endLine(events: SseEvent[]): void {
    if (this.#failure !== undefined) return;
    let line = this.#line.take();
    if (this.#firstLine) {
      this.#firstLine = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    if (line.length === 0) {
      this.#dispatch(events);
      return;
    }
    const at = line.indexOf(colon);
    if (at === 0) return;
    const name = at === -1 ? line : line.subarray(0, at);
    const value = at === -1 ? empty : line.subarray(line[at + 1] === space ? at + 2 : at + 1);
    this.#setField(name.toString('latin1'), value);
  }

  #setField(name: string, value: Buffer): void {
    switch (name) {
      case 'data':
        this.#addData(value);
        return;
      case 'event':
        this.#event = value.toString('utf8');
        return;
      case 'id':
        if (value.length <= maxIdBytes && !value.includes(0)) this.#id = value.toString('utf8');
        return;
      case 'retry': {
        const text = value.toString('latin1');
        if (/^\d{1,15}$/.test(text)) this.#retry = Math.min(Number(text), maxRetry);
        return;
      }
      default: // Unknown fields are ignored.
    }
  }

  #addData(value: Buffer): void {
    const lineEnds = this.#dataLines === 0 ? 0 : 1;
    // Line ends count, or endless empty lines would cost nothing.
    if (this.#data.length + lineEnds + value.length > this.#limits.maxEventBytes) {
      this.#fail('an event of the event stream is too long');
      return;
    }
    if (lineEnds > 0) this.#data.add(lineEnd);
    this.#data.add(value);
    this.#dataLines++;
  }

  #dispatch(events: SseEvent[]): void {
    const event = this.#event === '' ? 'message' : this.#event;
    this.#event = '';
    // A block without data calls nothing, but what it says about id and retry stays: the next event carries it.
    if (this.#dataLines === 0) return;
    events.push({ event, data: this.#data.take(), id: this.#id, retry: this.#retry });
    this.#dataLines = 0;
    this.#id = undefined;
    this.#retry = undefined;
  }

  #fail(detail: string): void {
    this.#failure = toFailure('result-too-large', detail);
    this.#line.take();
    this.#data.take();
  }
}

/**
 * Bytes that come in parts. A single part is kept as it is. More are joined in a buffer that doubles: a stream of
 * single bytes must cost neither an object for each byte nor a copy of everything for each part.
 */
class Joined {
  #bytes = empty;
  #length = 0;
  /** Whether `#bytes` is this object's own buffer, and not a part. */
  #isOwn = false;

  get length(): number {
    return this.#length;
  }

  add(part: Buffer): void {
    if (part.length === 0) return;
    const size = this.#length + part.length;
    if (this.#length === 0) {
      this.#bytes = part;
    } else {
      if (!this.#isOwn || this.#bytes.length < size) {
        const grown = Buffer.alloc(size * 2);
        this.#bytes.copy(grown, 0, 0, this.#length);
        this.#bytes = grown;
        this.#isOwn = true;
      }
      part.copy(this.#bytes, this.#length);
    }
    this.#length = size;
  }

  take(): Buffer {
    const joined = this.#bytes.subarray(0, this.#length);
    this.#bytes = empty;
    this.#length = 0;
    this.#isOwn = false;
    return joined;
  }
}

function find(chunk: Buffer, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from);
  return at === -1 ? chunk.length : at;
}

const dataStart = Buffer.from('data: ');
const eventEnd = Buffer.from('\n\n');

/**
 * Encodes one event of type `message`, with LF line ends.
 *
 * @param data UTF-8. A line end inside becomes a new data line: in JSON it can only be white space, since strings
 *   have none
 * @param id must hold neither CR, LF nor NUL, which would end the line or be ignored: TypeError
 * @param retry milliseconds
 */
export function encodeEvent(data: Buffer, id?: string, retry?: number): Buffer {
  let head = 'event: message\n';
  if (id !== undefined) {
    if (/[\r\n\0]/.test(id)) throw new TypeError('an event id cannot hold a line end or NUL');
    head += `id: ${id}\n`;
  }
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0)
      throw new TypeError('retry is a whole number of milliseconds');
    head += `retry: ${retry}\n`;
  }
  const parts: Buffer[] = [Buffer.from(head, 'utf8')];
  if (!data.includes(lf) && !data.includes(cr)) {
    parts.push(dataStart, data, eventEnd);
    return Buffer.concat(parts);
  }
  let start = 0;
  for (let position = 0; position <= data.length; position++) {
    const byte = data[position];
    if (byte !== lf && byte !== cr && byte !== undefined) continue;
    parts.push(dataStart, data.subarray(start, position), lineEnd);
    if (byte === cr && data[position + 1] === lf) position++;
    start = position + 1;
  }
  parts.push(lineEnd);
  return Buffer.concat(parts);
}
