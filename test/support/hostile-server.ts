import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One request as it came, as far as a hostile answer needs it. */
export interface SeenRequest {
  /** `GET`, `POST` or `DELETE`. */
  readonly verb: string;
  /** JSON-RPC method; empty where there is none. */
  readonly method: string;
  /** The JSON-RPC id as JSON text; `null` where there is none. */
  readonly id: string;
}

/** What is done to a request. */
export type Hostility = (socket: Socket, request: SeenRequest) => void;

/** Which requests are answered with hostility; all others honestly. */
export type Surface = 'tools/call' | 'tools/list' | 'initialize' | 'GET';

export interface HostileServer {
  /** URL at which requests of this surface meet this hostility. */
  url(name: string, surface: Surface): string;
  /** Sockets over which this hostility was let out at this surface, in the order in which it was. */
  sockets(name: string, surface: Surface): readonly Socket[];
  readonly server: Server;
  close(): Promise<void>;
}

const honestTools = [
  { name: 'echo', description: 'says it again', inputSchema: { type: 'object', additionalProperties: true } },
];

/** What an honest server says, with the id of the request. */
export function honestAnswer({ method, id }: SeenRequest): string | undefined {
  const results: Readonly<Record<string, unknown>> = {
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'hostile', version: '1' },
    },
    'server/discover': {
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      serverInfo: { name: 'hostile', version: '1' },
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
    },
    'tools/list': { tools: honestTools, resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
    'tools/call': { content: [{ type: 'text', text: 'honest' }], resultType: 'complete' },
    ping: {},
  };
  const result = results[method];
  return result === undefined ? undefined : `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`;
}

/** A whole HTTP answer with a length. */
export function wholeAnswer(body: string | Buffer, type = 'application/json', more = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${bytes.length}\r\n${more}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/** An MCP server over bare sockets that is honest but for one surface at each URL. */
export async function startHostileServer(
  hostilities: Readonly<Record<string, Hostility>>,
): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const met = new Map<string, Socket[]>();
  const answer = (socket: Socket, path: string, request: SeenRequest): void => {
    const [, surface, name] = /^\/([a-zA-Z-]+)\/(.*)$/.exec(path) ?? [];
    const asked = request.verb === 'GET' ? 'GET' : request.method;
    if (name !== undefined && surface === asked.replace('/', '-')) {
      const key = `${asked} ${decodeURIComponent(name)}`;
      met.set(key, [...(met.get(key) ?? []), socket]);
      hostilities[decodeURIComponent(name)]!(socket, request);
      return;
    }
    if (request.verb === 'GET') socket.write('HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n');
    else {
      const body = honestAnswer(request);
      if (body === undefined) socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n');
      else socket.write(wholeAnswer(body));
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let text = '';
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      const [, verb = '', path = ''] = /^(\S+) (\S+)/.exec(text) ?? [];
      const body = text.slice(end + 4);
      text = '';
      const method = /"method":"([^"]*)"/.exec(body)?.[1] ?? '';
      const id = /"id":("[^"]*"|\d+)/.exec(body)?.[1] ?? 'null';
      answer(socket, path, { verb, method, id });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (name, surface) =>
      `http://127.0.0.1:${port}/${surface.replace('/', '-')}/${encodeURIComponent(name)}`,
    sockets: (name, surface) => met.get(`${surface} ${name}`) ?? [],
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * Writes the same piece again and again, as fast as the other side reads, until it closes. What is written is counted at
 * `socket.bytesWritten`.
 */
export function pump(
  socket: Socket,
  head: string | Buffer,
  piece: string | Buffer,
  most = Number.POSITIVE_INFINITY,
): void {
  const bytes = Buffer.from(piece);
  let left = most;
  const more = (): void => {
    while (!socket.destroyed && left > 0) {
      left -= 1;
      if (!socket.write(bytes)) return;
    }
  };
  socket.on('drain', more);
  socket.write(head);
  more();
}

/** Writes a piece every so many milliseconds until the other side closes. */
export function drip(socket: Socket, head: string | Buffer, piece: string | Buffer, everyMs: number): void {
  socket.write(head);
  const timer = setInterval(() => socket.write(piece), everyMs);
  socket.on('close', () => clearInterval(timer));
}
