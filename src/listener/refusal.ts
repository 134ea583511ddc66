import { type ErrorCode, errorTable } from '../errors.ts';
import type { Peer } from '../identity/peer.ts';

/** Something that the listener refused by itself, before the pipeline saw it. Told exactly once. */
export interface Refusal {
  readonly peer: Peer;
  /** HTTP method, one of a fixed set or `OTHER`; `-` where the request has none that can be read. */
  readonly verb: string;
  /** Undefined where the path leads to none. */
  readonly upstream: string | undefined;
  readonly code: ErrorCode;
  /** HTTP status that the client saw; 0 where nothing was answered (refused at accept, or in the handshake). */
  readonly status: number;
  /** What really happened, for operators. */
  readonly cause: unknown;
  /** How many refusals this one stands for, where a flood makes too many to tell of each; it is the last of them. */
  readonly times?: number;
}

/** What the listener tells operators, beside refusals. */
export interface ListenerLog {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

const knownVerbs: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'DELETE',
  'PUT',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
]);

/** Bounds what a stranger can write into metrics labels: HTTP/2 lets any token be a method. */
export function knownVerb(method: string | undefined): string {
  if (method === undefined) return '-';
  return knownVerbs.has(method) ? method : 'OTHER';
}

const bodies = new Map<ErrorCode, Buffer>();

/** The JSON-RPC error of a code, without id: at this point nobody has read one (JSON-RPC 2.0, section 5). */
export function refusalBody(code: ErrorCode): Buffer {
  let body = bodies.get(code);
  if (body === undefined) {
    const { rpc, text } = errorTable[code];
    body = Buffer.from(
      JSON.stringify({ jsonrpc: '2.0', error: { code: rpc, message: text, data: { reason: code } } }),
    );
    bodies.set(code, body);
  }
  return body;
}

const reasonPhrases = new Map([
  [400, 'Bad Request'],
  [405, 'Method Not Allowed'],
  [408, 'Request Timeout'],
  [413, 'Content Too Large'],
  [431, 'Request Header Fields Too Large'],
]);

/** A whole HTTP/1.1 answer, for sockets whose parser has given up. Closes the connection. */
export function rawRefusal(code: ErrorCode, headers: Readonly<Record<string, string>> = {}): Buffer {
  const { status } = errorTable[code];
  const body = refusalBody(code);
  const head = {
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(body.length),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} ${reasonPhrases.get(status) ?? ''}\r\n${lines.join('')}\r\n`, 'latin1'),
    body,
  ]);
}
