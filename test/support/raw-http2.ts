/** An HTTP/2 client without manners: sends exactly the frames that a test wants (RFC 9113), and counts what comes back. */

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** Types of frames. */
export const frames = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Error codes that a server closes with. */
export const errors = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

export interface RawHttp2 {
  readonly socket: TLSSocket;
  /** Writes bytes. False where the socket has no more room, as for any socket. */
  write(bytes: Buffer): boolean;
  /**
   * Writes the same bytes again and again, as fast as the other side takes them, until it closes or so many are written.
   *
   * @returns how often they were written
   */
  flood(bytes: Buffer | (() => Buffer), most: number): Promise<number>;
  /** Frames that came, by type. */
  received(type: number): number;
  /** Code of the GOAWAY that says why; undefined where none came. */
  readonly goaway: number | undefined;
  /** Codes of streams that were reset, with how often. */
  readonly resets: ReadonlyMap<number, number>;
  /** Answers that began: frames of HEADERS that came. */
  readonly answers: number;
  /** Bytes of DATA that came. */
  readonly dataBytes: number;
  readonly closed: boolean;
  /** Resolves once the other side has closed. */
  readonly ended: Promise<void>;
  destroy(): void;
}

export function frame(type: number, flag: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flag;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** SETTINGS, as identifiers and values. */
export function settings(values: readonly (readonly [number, number])[] = []): Buffer {
  const payload = Buffer.alloc(values.length * 6);
  values.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(frames.settings, 0, 0, payload);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A header block of literals without index and without Huffman code (RFC 7541, section 6.2.2). */
export function literals(headers: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** The headers of an honest POST. */
export function honestHeaders(url: string): (readonly [string, string])[] {
  const { host, pathname } = new URL(url);
  return [
    [':method', 'POST'],
    [':scheme', 'https'],
    [':authority', host],
    [':path', pathname],
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ];
}

/** Opens a connection, and sends the preface and SETTINGS unless told otherwise. */
export function connectHttp2(
  url: string,
  tls: ConnectionOptions,
  first: Buffer = settings(),
): Promise<RawHttp2> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ALPNProtocols: ['h2'], ...tls });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.removeListener('error', reject);
      const client = speak(socket);
      client.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), first]));
      resolve(client);
    });
  });
}

function speak(socket: TLSSocket): RawHttp2 {
  const counts = new Map<number, number>();
  const resets = new Map<number, number>();
  let goaway: number | undefined;
  let dataBytes = 0;
  let closed = false;
  let pending: Buffer = Buffer.alloc(0);
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      closed = true;
      resolve();
    });
  });
  socket.on('error', () => {});
  socket.on('end', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let at = 0;
    while (pending.length - at >= 9) {
      const length = pending.readUIntBE(at, 3);
      if (pending.length - at < 9 + length) break;
      const type = pending[at + 3]!;
      const payload = pending.subarray(at + 9, at + 9 + length);
      at += 9 + length;
      counts.set(type, (counts.get(type) ?? 0) + 1);
      if (type === frames.data) dataBytes += length;
      // Of several the first says why; a last one only says that it is over.
      if (type === frames.goaway) goaway = goaway || payload.readUInt32BE(4);
      if (type === frames.reset) {
        const code = payload.readUInt32BE(0);
        resets.set(code, (resets.get(code) ?? 0) + 1);
      }
    }
    pending = Buffer.from(pending.subarray(at));
  });
  return {
    socket,
    write: (bytes) => !closed && socket.write(bytes),
    async flood(bytes, most) {
      let written = 0;
      while (written < most && !closed && socket.writable) {
        const more = socket.write(typeof bytes === 'function' ? bytes() : bytes);
        written += 1;
        if (more) {
          // Lets what came be read.
          if (written % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), ended]);
      }
      return written;
    },
    received: (type) => counts.get(type) ?? 0,
    get goaway() {
      return goaway;
    },
    resets,
    get answers() {
      return counts.get(frames.headers) ?? 0;
    },
    get dataBytes() {
      return dataBytes;
    },
    get closed() {
      return closed;
    },
    ended,
    destroy: () => socket.destroy(),
  };
}

/** A string of HPACK: length with a prefix of seven bits, then the bytes as they are. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** An integer of HPACK (RFC 7541, section 5.1). */
export function integer(value: number, prefix: number, mark = 0): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([mark | value]);
  const bytes = [mark | most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return Buffer.from(bytes);
}
