import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ErrorCode, errorTable } from '../errors.ts';
import { bracketed, parseBind } from './bind.ts';
import { createHostRules, type HostRules } from './hosts.ts';
import type { AdminOptions } from './options.ts';
import { plainPeer, unmapped } from './peer.ts';
import { knownVerb, type Refusal, rawRefusal, refusalBody } from './refusal.ts';
import { readRequestHeaders } from './request-headers.ts';

export interface AdminDependencies {
  /** Whether the process works at all. False has an orchestrator restart it. */
  live(): boolean;
  /** Whether calls will be served. `body` is JSON and is shown to whoever asks. */
  ready(): Health | Promise<Health>;
  /** The text of a scrape. */
  metrics(): Promise<string>;
  /** Content type of that text. */
  readonly metricsType: string;
  /** Told of each refusal, exactly once. Absent: refusals are only answered. */
  onRefusal?(refusal: Refusal): void;
}

export interface Health {
  readonly ready: boolean;
  readonly body: string;
}

export interface RunningAdmin {
  readonly address: { readonly host: string; readonly port: number; readonly url: string };
  /** Stops, and cuts what is still open: there is nothing here that must finish. */
  close(): Promise<void>;
}

/** 64, because there is one prober, a few scrapers and perhaps an operator. */
const maximumConnections = 64;

/**
 * Opens the admin listener: `/livez`, `/readyz` and `/metrics`, GET and HEAD, nothing else.
 *
 * Host and Origin are checked here too: a page that an operator has open must not read metrics by DNS rebinding.
 */
export async function createAdmin(options: AdminOptions, deps: AdminDependencies): Promise<RunningAdmin> {
  const hosts = createHostRules(options.bind, options.hosts, []);
  const server = createServer({
    maxHeaderSize: 8192,
    headersTimeout: 5000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: 65_000,
    requireHostHeader: true,
    insecureHTTPParser: false,
  });
  server.maxConnections = maximumConnections;
  server.maxHeadersCount = 0;
  const answering = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, hosts, deps).catch(() => response.destroy());
  };
  server.on('request', answering);
  server.on('checkContinue', answering);
  server.on('checkExpectation', answering);
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(rawRefusal('http-method', { allow: 'GET, HEAD' }), () => socket.destroy());
  });
  const address = await listen(server, options.bind);
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  hosts: HostRules,
  deps: AdminDependencies,
): Promise<void> {
  response.on('error', () => {});
  const refused = refusalOf(request, hosts);
  if (refused !== undefined) {
    refuse(request, response, refused.code, refused.cause, deps);
    return;
  }
  switch (request.url) {
    case '/livez': {
      const live = deps.live();
      write(response, live ? 200 : 503, 'text/plain; charset=utf-8', live ? 'ok\n' : 'failing\n');
      return;
    }
    case '/readyz': {
      const { ready, body } = await deps.ready();
      write(response, ready ? 200 : 503, 'application/json', body);
      return;
    }
    case '/metrics':
      try {
        write(response, 200, deps.metricsType, await deps.metrics());
      } catch (cause) {
        refuse(request, response, 'internal', cause, deps);
      }
  }
}

const paths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

function refusalOf(
  request: IncomingMessage,
  hosts: HostRules,
): { readonly code: ErrorCode; readonly cause: string } | undefined {
  const headers = readRequestHeaders(request.rawHeaders);
  if (typeof headers === 'string') return { code: 'header-invalid', cause: headers };
  const host = headers.host;
  if (host === undefined || !(hosts.allowsHost(host) || isOwnAddress(host, request.socket))) {
    return { code: 'host-refused', cause: 'Host' };
  }
  // Nobody who asks here is a web page.
  if (headers.origin !== undefined) return { code: 'origin-refused', cause: 'Origin' };
  if (headers.expect !== undefined || headers.upgrade !== undefined) {
    return { code: 'header-invalid', cause: 'Expect or Upgrade' };
  }
  if (!paths.has(request.url ?? '')) return { code: 'route-unknown', cause: 'path' };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { code: 'http-method', cause: 'method' };
  if (headers.transferEncoding !== undefined || (headers.contentLength ?? '0') !== '0') {
    return { code: 'header-invalid', cause: 'a body' };
  }
  return undefined;
}

/** The address that the connection came in on, as a Host: what probes use, and what no DNS name can be rebound to. */
function isOwnAddress(host: string, socket: Socket): boolean {
  const own = bracketed(unmapped(socket.localAddress));
  return host === own || host === `${own}:${socket.localPort}`;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  code: ErrorCode,
  cause: unknown,
  deps: AdminDependencies,
): void {
  const { status } = errorTable[code];
  deps.onRefusal?.({
    peer: plainPeer(request.socket),
    verb: knownVerb(request.method),
    upstream: undefined,
    code,
    status,
    cause,
  });
  // Nothing that a refused request brings along is read.
  response.setHeader('connection', 'close');
  if (code === 'http-method') response.setHeader('allow', 'GET, HEAD');
  write(response, status, 'application/json', refusalBody(code));
}

function write(response: ServerResponse, status: number, type: string, text: string | Buffer): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

async function listen(server: Server, bind: string): Promise<RunningAdmin['address']> {
  const { host, port } = parseBind(bind)!;
  server.listen({ host, port });
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port, url: `http://${bracketed(host)}:${bound.port}` };
}
