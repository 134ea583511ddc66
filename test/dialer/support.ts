import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createByteServer, type Socket } from 'node:net';
import { createDialer, type DialerDependencies } from '../../src/dialer/create-dialer.ts';
import { DialError } from '../../src/dialer/dial-error.ts';
import { outboundOptions } from '../../src/dialer/options.ts';

/** Where tests listen. Nothing of it is in the default. */
export const loopbackBlocks = ['127.0.0.0/8', '::1/128'];

/** A dialer that may dial this machine, unless told otherwise. */
export function dialerOf(options: Record<string, unknown> = {}, dependencies: DialerDependencies = {}) {
  return createDialer(outboundOptions.parse({ private: loopbackBlocks, ...options }), dependencies);
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Connections so far. */
  connections(): number;
  requests(): number;
  close(): Promise<void>;
}

/** An HTTP server on loopback that counts. */
export async function serve(
  listener: RequestListener,
  options: {
    readonly tls?: { readonly cert: string; readonly key: string };
    readonly host?: string;
    readonly port?: number;
  } = {},
): Promise<TestServer> {
  const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  let requests = 0;
  server.on('request', (request, response) => {
    requests += 1;
    listener(request, response);
  });
  return listen(server, options, () => requests);
}

/** A server that speaks in bytes: what it does with a connection, once the first bytes have come. */
export async function serveBytes(act: (socket: Socket) => void): Promise<TestServer> {
  let requests = 0;
  const server = createByteServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      requests += 1;
      act(socket);
    });
  });
  return listen(server, {}, () => requests);
}

async function listen(
  server: Server | ReturnType<typeof createByteServer>,
  { host = '127.0.0.1', port = 0, tls }: { host?: string; port?: number; tls?: unknown },
  requests: () => number,
): Promise<TestServer> {
  let connections = 0;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const bound = (server.address() as AddressInfo).port;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${bound}`,
    port: bound,
    connections: () => connections,
    requests,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** The code of the refusal; throws where there was none. */
export async function codeOf(dialled: Promise<Response>): Promise<string> {
  return (await errorOf(dialled)).code;
}

export async function errorOf(dialled: Promise<Response>): Promise<DialError> {
  try {
    await dialled;
  } catch (error) {
    if (error instanceof DialError) return error;
    throw error;
  }
  throw new Error('The dial was answered');
}
