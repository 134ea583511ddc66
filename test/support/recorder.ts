/** An upstream that keeps everything it sees, byte for byte, and answers as told. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { openConnections } from './leaks.ts';
import { type Answer, defaultAnswer, type RpcMessage } from './recorder-answers.ts';

export interface RecordedRequest {
  readonly verb: string;
  readonly path: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** Lower-case names; repeated ones joined as node does. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The JSON-RPC messages in the body; empty where it is not JSON. */
  readonly messages: readonly RpcMessage[];
  /** Settles once the exchange is over, whoever ended it. `true` if the other side left before the answer was complete. */
  readonly abandoned: Promise<boolean>;
}

export type Script = Answer | ((message: RpcMessage, request: RecordedRequest) => Answer | Promise<Answer>);

export interface Recorder {
  /** `http://127.0.0.1:<port>/mcp`, or https. */
  readonly url: string;
  /** All requests so far, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** All JSON-RPC messages so far, oldest first. */
  readonly messages: readonly RpcMessage[];
  /** Scripts the answer to a method, or to `GET` and `DELETE`. The last script wins; `undefined` goes back to the default. */
  on(method: string, script: Script | undefined): void;
  /** Holds the next POST requests back until all have come, then answers them in this order: `[2, 0, 1]`. */
  shuffle(order: readonly number[]): void;
  /** Resolves with the first request, past or to come, that fits. */
  seen(fits: (request: RecordedRequest) => boolean): Promise<RecordedRequest>;
  connections(): Promise<number>;
  close(): Promise<void>;
}

// A test that sends more than this has lost its way; the oldest are forgotten.
const maxRecorded = 10_000;

/** Starts the recorder on loopback. With `tls` it speaks https. */
export async function startRecorder(options: { readonly tls?: TlsServerOptions } = {}): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  const scripts = new Map<string, Script>();
  const watchers = new Set<() => void>();
  let held:
    | { readonly order: readonly number[]; readonly waiting: ((done: () => void) => void)[] }
    | undefined;

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await readBody(req);
    const request = toRecorded(req, res, body);
    requests.push(request);
    if (requests.length > maxRecorded) requests.shift();
    for (const check of watchers) check();
    const done = held !== undefined && req.method === 'POST' ? await turn(held) : undefined;
    await reply(res, await answerTo(request));
    if (done !== undefined) void request.abandoned.then(done);
  };

  /** Resolves when it is this request's turn, with what to call once it has been answered. */
  const turn = (group: NonNullable<typeof held>): Promise<() => void> =>
    new Promise((resolve) => {
      group.waiting.push(resolve);
      if (group.waiting.length < group.order.length) return;
      held = undefined;
      void releaseInOrder(group);
    });

  const releaseInOrder = async ({ order, waiting }: NonNullable<typeof held>): Promise<void> => {
    for (const index of order) {
      const release = waiting[index];
      if (release === undefined) throw new Error(`shuffle(): no request number ${index}`);
      await new Promise<void>(release);
    }
  };

  const answerTo = async (request: RecordedRequest): Promise<Answer> => {
    if (request.verb !== 'POST') {
      const script = scripts.get(request.verb);
      if (script !== undefined) return typeof script === 'function' ? script({}, request) : script;
      return request.verb === 'GET' ? { kind: 'sse', chunks: [], open: true } : { kind: 'json', body: '' };
    }
    const answers = await Promise.all(
      request.messages.map((message) => {
        const script = scripts.get(message.method ?? '');
        if (script === undefined) return defaultAnswer(message);
        return typeof script === 'function' ? script(message, request) : script;
      }),
    );
    const [only] = answers;
    if (only === undefined) return { kind: 'json', status: 400, body: '' };
    if (answers.length === 1) return only;
    const bodies = answers.flatMap((answer) => (answer.kind === 'json' ? [answer.body] : []));
    return bodies.length === 0 ? { kind: 'accepted' } : { kind: 'json', body: bodies };
  };

  const listener = (req: IncomingMessage, res: ServerResponse) => {
    handle(req, res).catch(() => res.destroy());
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    requests,
    get messages() {
      return requests.flatMap((request) => request.messages);
    },
    on: (method, script) => {
      if (script === undefined) scripts.delete(method);
      else scripts.set(method, script);
    },
    shuffle: (order) => {
      held = { order, waiting: [] };
    },
    seen: (fits) =>
      new Promise((resolve) => {
        const check = () => {
          const found = requests.find(fits);
          if (found === undefined) return;
          watchers.delete(check);
          resolve(found);
        };
        watchers.add(check);
        check();
      }),
    connections: () => openConnections(server),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function toRecorded(req: IncomingMessage, res: ServerResponse, body: Buffer): RecordedRequest {
  return {
    verb: req.method ?? '',
    path: req.url ?? '',
    rawHeaders: req.rawHeaders,
    headers: req.headers as Record<string, string>,
    body,
    messages: parseMessages(body),
    abandoned: new Promise((resolve) => res.once('close', () => resolve(!res.writableFinished))),
  };
}

function parseMessages(body: Buffer): readonly RpcMessage[] {
  try {
    const value = JSON.parse(body.toString('utf8')) as RpcMessage | RpcMessage[];
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

async function reply(res: ServerResponse, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case 'hang':
      return;
    case 'drop':
      res.destroy();
      return;
    case 'accepted':
      res.writeHead(202).end();
      return;
    case 'json': {
      const body = Buffer.isBuffer(answer.body) || typeof answer.body === 'string';
      res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      res.end(body ? answer.body : JSON.stringify(answer.body));
      return;
    }
    case 'sse':
      res.writeHead(200, { 'content-type': 'text/event-stream', ...answer.headers });
      res.flushHeaders();
      for (const piece of answer.chunks) {
        const chunk = await piece;
        if (typeof chunk === 'number') await new Promise((resolve) => setTimeout(resolve, chunk));
        else if (!res.destroyed) await new Promise<void>((resolve) => res.write(chunk, () => resolve()));
      }
      if (answer.open !== true) res.end();
      return;
  }
}
