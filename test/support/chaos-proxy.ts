import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the bytes that pass in one direction. Everything absent: they pass as they are. */
export interface Chaos {
  /** Milliseconds that each piece waits. */
  readonly delay?: number;
  /** Up to so many milliseconds more, for each piece anew. The order of pieces stays. */
  readonly jitter?: number;
  /** Pieces of at most so many bytes, each sent by itself. */
  readonly slice?: number;
  /** Bytes a second. */
  readonly throttle?: number;
  /** After so many bytes the connection is reset (RST), both ways. */
  readonly resetAfter?: number;
  /** After so many bytes this direction ends (FIN); the other goes on. */
  readonly halfCloseAfter?: number;
  /** After so many bytes the rest is swallowed and the connection ends in order. */
  readonly truncateAfter?: number;
  /** After so many bytes nothing passes any more, and nothing is closed. 0: from the beginning. */
  readonly blackHoleAfter?: number;
  /** The byte at this offset of the direction gets its lowest bit flipped. */
  readonly flipAt?: number;
}

/** What happens to a connection. */
export interface ConnectionChaos {
  /** Refused with a reset as soon as it is accepted. */
  readonly refuse?: boolean;
  /** What the caller sends. */
  readonly up?: Chaos;
  /** What the server answers. */
  readonly down?: Chaos;
}

export interface ChaosProxy {
  readonly port: number;
  /** `http://127.0.0.1:PORT` followed by a path. */
  url(path: string): string;
  /** For connections from now on. Open ones keep what they began with. */
  set(chaos: ConnectionChaos | ((connection: number) => ConnectionChaos)): void;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Open now. */
  readonly open: number;
  /** Bytes that came from callers and from the server, before anything happened to them. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Resets every open connection. */
  resetAll(): void;
  /** Closes the port: callers are refused by the operating system. */
  stop(): Promise<void>;
  /** Opens the same port again. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy that does to a connection what networks and dying servers do. On loopback, for tests. */
export async function startChaosProxy(
  target: number | URL,
  chaos: ConnectionChaos | ((connection: number) => ConnectionChaos) = {},
): Promise<ChaosProxy> {
  const targetPort = typeof target === 'number' ? target : Number(target.port);
  const pairs = new Set<Pair>();
  const bytes = { up: 0, down: 0 };
  let current = chaos;
  let accepted = 0;
  let port = 0;

  const accept = (client: Socket): void => {
    accepted += 1;
    const now = typeof current === 'function' ? current(accepted) : current;
    if (now.refuse === true) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    const pair = new Pair(client, server, () => pairs.delete(pair));
    pairs.add(pair);
    passOn(client, server, now.up ?? {}, pair, (count) => {
      bytes.up += count;
    });
    passOn(server, client, now.down ?? {}, pair, (count) => {
      bytes.down += count;
    });
  };
  let listening: Server | undefined;
  const start = async (): Promise<void> => {
    const server = createServer({ allowHalfOpen: true }, accept);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    port = (server.address() as AddressInfo).port;
    listening = server;
  };
  const stop = async (): Promise<void> => {
    const server = listening;
    listening = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const pair of pairs) pair.reset();
    await closed;
  };
  await start();
  return {
    get port() {
      return port;
    },
    url: (path) => `http://127.0.0.1:${port}${path}`,
    set(next) {
      current = next;
    },
    get accepted() {
      return accepted;
    },
    get open() {
      return pairs.size;
    },
    bytes,
    resetAll() {
      for (const pair of pairs) pair.reset();
    },
    stop,
    start,
    close: stop,
  };
}

/** Both halves of a proxied connection. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #onGone: () => void;
  #open = 2;

  constructor(client: Socket, server: Socket, onGone: () => void) {
    this.#client = client;
    this.#server = server;
    this.#onGone = onGone;
    for (const socket of [client, server]) {
      // What one side does to the connection the other sees: a reset stays a reset.
      socket.on('error', () => this.reset());
      socket.once('close', () => {
        this.#open -= 1;
        if (this.#open > 0) return;
        for (const timer of this.#timers) clearTimeout(timer);
        this.#onGone();
      });
    }
  }

  get over(): boolean {
    return this.#client.destroyed || this.#server.destroyed;
  }

  /** Runs something later, unless the connection is gone by then. */
  later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.over) run();
    }, ms);
    this.#timers.add(timer);
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

/** One direction: a queue of pieces, each with what is done to it. */
function passOn(from: Socket, to: Socket, chaos: Chaos, pair: Pair, count: (bytes: number) => void): void {
  const queue: (Buffer | 'end')[] = [];
  let passed = 0;
  let busy = false;
  let ended = false;

  const finish = (): void => {
    ended = true;
    queue.length = 0;
    to.end();
  };
  const next = (): void => {
    if (busy || ended) return;
    const piece = queue.shift();
    if (piece === undefined) return;
    busy = true;
    const { delay = 0, jitter = 0, throttle } = chaos;
    const bytes = piece === 'end' ? 0 : piece.length;
    const wait = delay + Math.random() * jitter + (throttle === undefined ? 0 : (bytes / throttle) * 1000);
    const go = (): void => {
      if (piece === 'end') {
        if (!isSwallowed(chaos, passed)) finish();
        return;
      }
      send(piece);
    };
    if (wait > 0) pair.later(wait, go);
    else go();
  };
  const done = (): void => {
    busy = false;
    if (queue.length < mostQueued) from.resume();
    next();
  };
  const send = (piece: Buffer): void => {
    const start = passed;
    const cut = endOfPassage(chaos);
    const kept = piece.subarray(0, Math.max(0, cut - start));
    passed += piece.length;
    const flipped = flip(kept, chaos.flipAt, start);
    const afterwards = (): void => {
      if (passed < cut) {
        done();
        return;
      }
      // Exactly at the border counts as over it: a fault after n bytes needs no byte more to happen.
      if (chaos.resetAfter === cut) pair.reset();
      else if (chaos.halfCloseAfter === cut) finish();
      else if (chaos.truncateAfter === cut) {
        finish();
        from.end();
      } else {
        // A black hole: what comes is read and lost.
        busy = false;
        queue.length = 0;
        from.resume();
      }
    };
    if (flipped.length === 0) afterwards();
    else to.write(flipped, afterwards);
  };
  if (endOfPassage(chaos) === 0 && chaos.blackHoleAfter !== 0) {
    // Nothing at all may pass: it happens at once, not with the first byte.
    send(Buffer.alloc(0));
    return;
  }
  from.on('data', (piece: Buffer) => {
    count(piece.length);
    if (ended || isSwallowed(chaos, passed)) return;
    const { slice } = chaos;
    if (slice === undefined) queue.push(piece);
    else for (let at = 0; at < piece.length; at += slice) queue.push(piece.subarray(at, at + slice));
    if (queue.length >= mostQueued) from.pause();
    next();
  });
  from.once('end', () => {
    queue.push('end');
    next();
  });
}

/** Pieces that wait; beyond it the sender is held back, as a real network would. */
const mostQueued = 1024;

function endOfPassage(chaos: Chaos): number {
  const { resetAfter, halfCloseAfter, truncateAfter, blackHoleAfter } = chaos;
  return Math.min(
    ...[resetAfter, halfCloseAfter, truncateAfter, blackHoleAfter].map(
      (at) => at ?? Number.POSITIVE_INFINITY,
    ),
  );
}

function isSwallowed(chaos: Chaos, passed: number): boolean {
  return chaos.blackHoleAfter !== undefined && passed >= chaos.blackHoleAfter;
}

function flip(piece: Buffer, at: number | undefined, start: number): Buffer {
  if (at === undefined || at < start || at >= start + piece.length) return piece;
  const copy = Buffer.from(piece);
  copy[at - start]! ^= 1;
  return copy;
}
