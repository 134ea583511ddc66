/**
 * Requests at a steady pace, whatever becomes of them: a slow answer puts no later request off, so that nobody is asked less
 * while something goes wrong. Each request is held against what its caller must get at that moment.
 */

import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { ClientTls } from './gateway.ts';
import { modern } from './mcp-messages.ts';

/**
 * `denied`: a JSON-RPC error with status 200. `unauthenticated`: 401. `cut`: no answer, by a handshake that failed or a
 * connection that ended. Anything else stands for itself.
 */
export type Outcome = 'passed' | 'denied' | 'unauthenticated' | 'cut' | `odd: ${string}`;

/** `h1` and `h2` keep a connection each; `fresh` shakes hands for every request, with HTTP/1.1. */
export type Way = 'h1' | 'h2' | 'fresh';

export interface LoadCaller {
  readonly name: string;
  readonly url: string;
  readonly way: Way;
  readonly tls: ClientTls;
  /** Asked for each request: two requests need not come with the same token. */
  headers(): Readonly<Record<string, string>>;
}

/** What may become of a caller's requests, from a moment on. */
interface Expectation {
  readonly from: number;
  readonly may: ReadonlySet<Outcome>;
}

interface Request {
  readonly caller: string;
  readonly begun: number;
  readonly ended: number;
  readonly outcome: Outcome;
}

/** A request that got what it should not have. */
export interface Wrong {
  readonly caller: string;
  readonly outcome: Outcome;
  readonly instead: readonly Outcome[];
  /** Milliseconds since the load began. */
  readonly begun: number;
  readonly ended: number;
}

export interface LoadReport {
  readonly requests: number;
  /** Requests that were due while too many of their caller were unanswered: they were not sent. */
  readonly unsent: number;
  readonly perSecond: number;
  readonly handshakes: number;
  /** Requests of which exactly one outcome would do, and of those the number of each outcome. */
  readonly exact: number;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  readonly wrong: readonly Wrong[];
}

export interface PacedLoad {
  /** Sends for this caller too, from now on, and holds it to this. */
  add(caller: LoadCaller, ...may: readonly Outcome[]): void;
  /** From now on, this is what may become of these callers' requests. */
  expect(callers: readonly string[], ...may: readonly Outcome[]): void;
  /** The same from a moment to come, in milliseconds since the epoch. Clocks may be off by `slack`. */
  expectAt(time: number, slack: number, callers: readonly string[], ...may: readonly Outcome[]): void;
  /** The outcomes that may be now. */
  allowed(caller: string): readonly Outcome[];
  /** Resolves once each of these callers has begun and ended so many more requests. */
  rounds(callers: readonly string[], count: number): Promise<void>;
  /** What was begun in a time, in milliseconds of `performance.now()`. */
  report(from?: number, to?: number): LoadReport;
  /** Sends no more, waits for the answers, closes all connections. */
  stop(): Promise<void>;
}

/** 6 of one caller, because what a slower machine cannot send in time is better left out and reported than piled up. */
const mostUnanswered = 6;

/** Handshakes cost most of all: whoever shakes hands each time comes every third time. */
const roundsToHandshake = 3;

/** @param rate requests a second, of all callers together */
export function startPacedLoad(rate: number, onHandshake: (socket: TLSSocket) => void = () => {}): PacedLoad {
  const senders: Sender[] = [];
  const expected = new Map<string, Expectation[]>();
  const requests: Request[] = [];
  const unanswered = new Set<Promise<void>>();
  const watchers = new Set<(request: Request) => void>();
  const startedAt = performance.now();
  const unsentAt: number[] = [];
  const handshakesAt: number[] = [];
  let stoppedAt: number | undefined;
  let sent = 0;
  let turn = 0;

  const began = (socket: TLSSocket): void => {
    handshakesAt.push(performance.now());
    onHandshake(socket);
  };

  const sendOne = (): void => {
    const caller = nextCaller();
    if (caller === undefined) return;
    const begun = performance.now();
    if (caller.unanswered >= mostUnanswered) {
      unsentAt.push(begun);
      return;
    }
    caller.unanswered += 1;
    const over = caller.client.send().then((outcome) => {
      const request = { caller: caller.name, begun, ended: performance.now(), outcome };
      requests.push(request);
      caller.unanswered -= 1;
      unanswered.delete(over);
      for (const watcher of watchers) watcher(request);
    });
    unanswered.add(over);
  };
  const nextCaller = (): Sender | undefined => {
    for (let tries = 0; tries < senders.length * roundsToHandshake; tries += 1) {
      const sender = senders[turn % senders.length]!;
      const round = Math.floor(turn / senders.length);
      turn += 1;
      if (sender.way !== 'fresh' || round % roundsToHandshake === 0) return sender;
    }
    return undefined;
  };

  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * rate);
    for (; sent < due; sent += 1) sendOne();
  }, 5);

  const allowedIn = (caller: string, from: number, to: number): ReadonlySet<Outcome> => {
    const states = expected.get(caller)!;
    return new Set(
      states.flatMap(({ from: begins, may }, index) =>
        begins <= to && (states[index + 1]?.from ?? Number.POSITIVE_INFINITY) > from ? [...may] : [],
      ),
    );
  };

  const expectFrom = (from: number, callers: readonly string[], may: readonly Outcome[]): void => {
    for (const caller of callers) expected.get(caller)!.push({ from, may: new Set(may) });
  };

  return {
    add(caller, ...may) {
      expected.set(caller.name, [{ from: performance.now(), may: new Set(may) }]);
      const client = connectCaller(caller, began);
      senders.push({ name: caller.name, way: caller.way, client, unanswered: 0 });
    },
    expect: (callers, ...may) => expectFrom(performance.now(), callers, may),
    expectAt(time, slack, callers, ...may) {
      const at = time - performance.timeOrigin;
      for (const caller of callers) {
        const before = expected.get(caller)!.at(-1)!.may;
        expectFrom(at - slack, [caller], [...before, ...may]);
        expectFrom(at + slack, [caller], may);
      }
    },
    allowed: (caller) => [...expected.get(caller)!.at(-1)!.may],
    rounds(callers, count) {
      const from = performance.now();
      const left = new Map(callers.map((caller) => [caller, count]));
      return new Promise((resolve) => {
        const watch = ({ caller, begun }: Request): void => {
          const todo = left.get(caller);
          if (todo === undefined || begun < from) return;
          if (todo > 1) left.set(caller, todo - 1);
          else left.delete(caller);
          if (left.size > 0) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
      });
    },
    report(from = startedAt, to = stoppedAt ?? performance.now()) {
      const within = (time: number): boolean => time >= from && time < to;
      const chosen = requests.filter(({ begun }) => within(begun));
      const outcomes = new Map<Outcome, number>();
      const wrong: Wrong[] = [];
      let exact = 0;
      for (const { caller, begun, ended, outcome } of chosen) {
        const may = allowedIn(caller, begun, ended);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (!(may.has('passed') && may.size > 1)) exact += 1;
        if (may.has(outcome)) continue;
        wrong.push({
          caller,
          outcome,
          instead: [...may],
          begun: Math.round(begun - startedAt),
          ended: Math.round(ended - startedAt),
        });
      }
      return {
        requests: chosen.length,
        unsent: unsentAt.filter(within).length,
        perSecond: Math.round((chosen.length / (to - from)) * 10_000) / 10,
        handshakes: handshakesAt.filter(within).length,
        exact,
        outcomes,
        wrong,
      };
    },
    async stop() {
      clearInterval(timer);
      stoppedAt = performance.now();
      await Promise.all(unanswered);
      for (const { client } of senders) client.close();
    },
  };
}

interface Sender {
  readonly name: string;
  readonly way: Way;
  readonly client: Client;
  unanswered: number;
}

interface Client {
  send(): Promise<Outcome>;
  close(): void;
}

function connectCaller(caller: LoadCaller, began: (socket: TLSSocket) => void): Client {
  return caller.way === 'h2' ? overHttp2(caller, began) : overHttp1(caller, began);
}

const call = modern('tools/call', { name: 'echo', arguments: {} });
const body = Buffer.from(JSON.stringify(call.body));

function overHttp1({ url, way, tls, headers }: LoadCaller, began: (socket: TLSSocket) => void): Client {
  // One connection: while handshakes of this caller fail on purpose, what it has open is what counts.
  const agent = way === 'h1' ? new Agent({ keepAlive: true, maxSockets: 1, ...tls }) : undefined;
  const known = new WeakSet<object>();
  return {
    send: () =>
      new Promise((resolve) => {
        const request = httpsRequest(url, {
          method: 'POST',
          agent: agent ?? false,
          ...tls,
          headers: { ...call.headers, 'content-length': body.length, ...headers() },
        });
        request.once('socket', (socket) => {
          if (known.has(socket)) return;
          known.add(socket);
          socket.once('secureConnect', () => began(socket as TLSSocket));
        });
        request.once('error', () => resolve('cut'));
        request.once('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => resolve(outcomeOf(response.statusCode ?? 0, Buffer.concat(chunks))));
          response.once('error', () => resolve('cut'));
        });
        request.end(body);
      }),
    close: () => agent?.destroy(),
  };
}

function overHttp2({ url, tls, headers }: LoadCaller, began: (socket: TLSSocket) => void): Client {
  const { origin, pathname } = new URL(url);
  let session: ClientHttp2Session | undefined;
  const connected = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connectHttp2(origin, tls, (_session, socket) => began(socket as TLSSocket));
    // What becomes of it, its requests tell.
    session.on('error', () => undefined);
    return session;
  };
  return {
    send: () =>
      new Promise((resolve) => {
        const stream = connected().request({
          ':method': 'POST',
          ':path': pathname,
          ...call.headers,
          ...headers(),
        });
        const chunks: Buffer[] = [];
        let status: number | undefined;
        stream.once('response', (head) => {
          status = head[':status'];
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.once('end', () => {
          if (status !== undefined) resolve(outcomeOf(status, Buffer.concat(chunks)));
        });
        stream.on('error', () => resolve('cut'));
        stream.once('close', () => resolve('cut'));
        stream.end(body);
      }),
    close: () => session?.destroy(),
  };
}

function outcomeOf(status: number, bytes: Buffer): Outcome {
  if (status === 401) return 'unauthenticated';
  const text = bytes.toString('utf8');
  if (status !== 200) return `odd: ${status} ${text.slice(0, 200)}`;
  try {
    const answer = JSON.parse(text) as { result?: unknown; error?: { code?: unknown } };
    if (answer.result !== undefined) return 'passed';
    if (typeof answer.error?.code === 'number') return 'denied';
  } catch {
    // Falls through: an answer that is cut off is none.
  }
  return `odd: ${status} ${text.slice(0, 200)}`;
}
