import type { Socket } from 'node:net';

/** One complete answer: its status, the session that it opens, and its body without chunk borders. */
export interface Answer {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly body: Buffer;
  readonly retryAfter: string | undefined;
}

const headEnd = Buffer.from('\r\n\r\n');
const chunked = /\r\ntransfer-encoding: chunked/i;
const contentLength = /\r\ncontent-length: (\d+)/i;
const retryAfter = /\r\nretry-after: ([^\r]+)/i;
const sessionId = /\r\nmcp-session-id: ([^\r]+)/i;

/**
 * One keep-alive connection of the load generator: bytes out, one whole answer back. Far cheaper than a real client,
 * so that on a small machine most of the time goes to what is measured.
 */
export class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Whether it has not been closed, as servers close a connection that was not used for some time. */
  get isOpen(): boolean {
    return this.#socket.readyState === 'open';
  }

  request(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new Error('the connection was closed before'));
        return;
      }
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }

  #take(piece: Buffer): void {
    this.#received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
    const answer = parseAnswer(this.#received);
    if (answer === undefined) return;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }
}

/** @returns undefined while the answer is not whole */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const from = end + headEnd.length;
  const body = chunked.test(head)
    ? parseChunks(bytes, from)
    : parseWhole(bytes, from, Number(contentLength.exec(head)?.[1] ?? 0));
  if (body === undefined) return undefined;
  const status = Number(head.slice(9, 12));
  return {
    status,
    sessionId: sessionId.exec(head)?.[1],
    body,
    retryAfter: status === 503 ? retryAfter.exec(head)?.[1] : undefined,
  };
}

function parseWhole(bytes: Buffer, from: number, length: number): Buffer | undefined {
  return bytes.length < from + length ? undefined : bytes.subarray(from, from + length);
}

function parseChunks(bytes: Buffer, from: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf(0x0a, at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd - 1), 16);
    const next = lineEnd + 1 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 1, lineEnd + 1 + size));
    at = next;
  }
}
