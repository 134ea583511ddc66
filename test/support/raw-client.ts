/** A client without manners: sends exactly the bytes and headers that a test wants, over http, https and HTTP/2. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type ReceivedEvent, SseEvents } from './sse-events.ts';

export interface RawOptions {
  /** As an object, or names and values in turn where one is repeated. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  /** Objects are encoded as JSON; text and bytes go out as they are. */
  readonly body?: unknown;
  /** `ca`, and `cert` with `key` for a client certificate. */
  readonly tls?: ConnectionOptions;
  readonly signal?: AbortSignal;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body as JSON. Throws if it is not. */
  json<T = Record<string, unknown>>(): T;
}

export interface RawStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The next event; `undefined` once the stream has ended. */
  next(): Promise<ReceivedEvent | undefined>;
  /** All events until the stream ends. */
  rest(): Promise<readonly ReceivedEvent[]>;
  /** Leaves without saying goodbye. */
  abort(): void;
}

/** Sends one request on a connection of its own and reads the whole answer. */
export async function send(verb: string, url: string, options: RawOptions = {}): Promise<RawAnswer> {
  const response = await open(verb, url, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return toAnswer(
    response.statusCode ?? 0,
    response.headers as Record<string, string>,
    Buffer.concat(chunks),
  );
}

/** POSTs one JSON-RPC message, with the headers of an honest client unless others are given. */
export function post(url: string, body: unknown, options: Omit<RawOptions, 'body'> = {}): Promise<RawAnswer> {
  return send('POST', url, { ...options, body, headers: withDefaults(options.headers) });
}

/** Sends one request and reads the answer as an event stream, as it comes. */
export async function openStream(verb: string, url: string, options: RawOptions = {}): Promise<RawStream> {
  const headers = verb === 'POST' ? withDefaults(options.headers) : withAccept(options.headers);
  const response = await open(verb, url, { ...options, headers });
  const events = new SseEvents();
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const ready: ReceivedEvent[] = [];
  const next = async (): Promise<ReceivedEvent | undefined> => {
    while (ready.length === 0) {
      const chunk = await chunks.next();
      if (chunk.done === true) return undefined;
      ready.push(...events.push(chunk.value));
    }
    return ready.shift();
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers as Record<string, string>,
    next,
    rest: async () => {
      const all: ReceivedEvent[] = [];
      for (let event = await next(); event !== undefined; event = await next()) all.push(event);
      return all;
    },
    abort: () => response.destroy(),
  };
}

/** Sends one request over HTTP/2. Header names may be pseudo-headers: they replace the ones made from the URL. */
export async function sendHttp2(verb: string, url: string, options: RawOptions = {}): Promise<RawAnswer> {
  const { origin, pathname, search } = new URL(url);
  const session = connectHttp2(origin, options.tls ?? {});
  try {
    return await new Promise<RawAnswer>((resolve, reject) => {
      session.once('error', reject);
      const headers = Array.isArray(options.headers) ? pairs(options.headers) : options.headers;
      const stream = session.request({
        ':method': verb,
        ':path': pathname + search,
        ...(headers as OutgoingHttpHeaders | undefined),
      });
      const chunks: Buffer[] = [];
      let received: Record<string, string> = {};
      stream.once('error', reject);
      stream.once('response', (head) => {
        received = head as unknown as Record<string, string>;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', () =>
        resolve(toAnswer(Number(received[':status']), received, Buffer.concat(chunks))),
      );
      stream.end(toBytes(options.body));
    });
  } finally {
    session.close();
  }
}

/**
 * Writes bytes to a bare socket and gives back all that comes until the other side closes, or stays silent for
 * `quiet` milliseconds. For requests that no HTTP client would send.
 */
export function sendBytes(
  url: string,
  pieces: readonly (string | Buffer)[],
  options: { readonly tls?: ConnectionOptions; readonly quiet?: number } = {},
): Promise<{ readonly text: string; readonly closed: boolean }> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const target = { host: hostname, port: Number(port) };
    const socket: Socket =
      protocol === 'https:' ? connectTls({ ...target, ...options.tls }) : connectTcp(target);
    const chunks: Buffer[] = [];
    const finish = (closed: boolean) => {
      socket.destroy();
      resolve({ text: Buffer.concat(chunks).toString('latin1'), closed });
    };
    socket.setTimeout(options.quiet ?? 500, () => finish(false));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', () => finish(true));
    socket.once('close', () => finish(true));
    for (const piece of pieces) socket.write(piece, 'latin1');
  });
}

function open(verb: string, url: string, options: RawOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = toBytes(options.body);
    const headers = options.headers ?? {};
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, {
      method: verb,
      // One connection a request: a test that counts connections counts its own.
      agent: false,
      ...(Array.isArray(headers) ? { headers: withLength(headers, url, body) } : { headers: { ...headers } }),
      ...(options.tls ?? {}),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
}

/** Node adds neither Host nor a length to a list of raw headers. */
function withLength(headers: readonly string[], url: string, body: Buffer | undefined): string[] {
  const names = headers.filter((_value, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const added = names.includes('host') ? [] : ['host', new URL(url).host];
  if (body !== undefined && !names.includes('content-length') && !names.includes('transfer-encoding')) {
    added.push('content-length', String(body.length));
  }
  return [...added, ...headers];
}

function withDefaults(headers: RawOptions['headers']): NonNullable<RawOptions['headers']> {
  return withAccept(add(headers, 'content-type', 'application/json'));
}

function withAccept(headers: RawOptions['headers']): NonNullable<RawOptions['headers']> {
  return add(headers, 'accept', 'application/json, text/event-stream');
}

function add(
  headers: RawOptions['headers'],
  name: string,
  value: string,
): NonNullable<RawOptions['headers']> {
  if (Array.isArray(headers)) {
    const given = headers.some((text, index) => index % 2 === 0 && text.toLowerCase() === name);
    return given ? headers : [...headers, name, value];
  }
  const given = Object.keys(headers ?? {}).some((key) => key.toLowerCase() === name);
  return given ? { ...headers } : { ...headers, [name]: value };
}

function pairs(headers: readonly string[]): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name, value] = [headers[index] as string, headers[index + 1] as string];
    all[name] = [...(all[name] ?? []), value];
  }
  return all;
}

function toBytes(body: unknown): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function toAnswer(status: number, headers: Record<string, string>, body: Buffer): RawAnswer {
  return { status, headers, body, json: <T>() => JSON.parse(body.toString('utf8')) as T };
}
