import { createServer, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { onTestFinished } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { UpstreamAnswer, UpstreamEvent, UpstreamMessage } from '../../src/pipeline/upstream-port.ts';
import { createHttpUpstream, type HttpUpstream, type HttpUpstreamDeps } from '../../src/upstream/http.ts';
import { httpUpstreamOptions } from '../../src/upstream/options.ts';

/** An HTTP server on a free port that is gone, with all its sockets, when the test ends. */
export async function httpServer(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${port}/mcp`, server };
}

/** A server that speaks in bytes: `talk` gets each socket, and what the client sent so far each time it grows. */
export async function rawServer(
  talk: (socket: Socket, connection: number) => void,
): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createNetServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    talk(socket, sockets.length);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${port}/mcp`, sockets };
}

/** Answers every request head that arrives on a raw server with the same bytes. */
export function answering(...parts: readonly (string | Buffer)[]): (socket: Socket) => void {
  return (socket) => {
    socket.on('data', () => {
      for (const part of parts) {
        socket.write(part);
      }
    });
  };
}

export async function listen(server: Server | NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createNetServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An upstream from the same text that a configuration file holds. Times are checked often, so that tests are short. */
export function upstreamAt(
  url: string,
  options: Record<string, unknown> = {},
  deps: HttpUpstreamDeps = {},
): HttpUpstream {
  const upstream = createHttpUpstream('test', httpUpstreamOptions.parse({ url, ...options }), {
    resolutionMs: 5,
    ...deps,
  });
  onTestFinished(() => upstream.close());
  return upstream;
}

/** The same over several endpoints. Nothing checks them unless `health` says so. */
export function upstreamOver(
  urls: readonly string[],
  options: Record<string, unknown> = {},
  deps: HttpUpstreamDeps = {},
): HttpUpstream {
  const upstream = createHttpUpstream('test', httpUpstreamOptions.parse({ urls, ...options }), {
    resolutionMs: 5,
    checkHealth: options['health'] !== undefined,
    ...deps,
  });
  onTestFinished(() => upstream.close());
  return upstream;
}

export const ping = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}');
export const pong = '{"jsonrpc":"2.0","id":1,"result":{}}';

export function message(changes: Partial<UpstreamMessage> = {}): UpstreamMessage {
  return {
    verb: 'POST',
    body: ping,
    headers: [],
    longLived: false,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** The GatewayError that `promise` rejects with. Anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GatewayError) {
      return error;
    }
    throw error;
  }
  throw new Error('it did not fail');
}

export type StreamAnswer = Extract<UpstreamAnswer, { kind: 'stream' }>;

export function asStream(answer: UpstreamAnswer): StreamAnswer {
  if (answer.kind !== 'stream') {
    throw new Error(`expected a stream, got ${answer.kind}`);
  }
  return answer;
}

export async function collect(events: AsyncIterable<UpstreamEvent>): Promise<string[]> {
  const texts: string[] = [];
  for await (const event of events) {
    texts.push(event.data.toString());
  }
  return texts;
}

/** Resolves once `check` holds; the test's own time limit ends a wait in vain. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
