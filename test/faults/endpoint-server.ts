import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How an honest server answers a tool call: the shapes in which a connection can be lost. */
export type Shape = 'body' | 'stream';

/** An MCP server that answers all of 2026-07-28 that honest traffic asks, and counts how often each tool call reached it. */
export interface CountingServer {
  readonly port: number;
  readonly url: string;
  /** Tool calls by their argument `n`: how often each came in whole. */
  readonly calls: ReadonlyMap<number, number>;
  /** Ends all connections, and waits until whoever kept one knows. */
  endConnections(): Promise<void>;
  close(): Promise<void>;
}

/** @param calls shared by servers that count as one */
export async function startCountingServer(
  shape: Shape = 'body',
  calls: Map<number, number> = new Map(),
): Promise<CountingServer> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => undefined);
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString();
      if (text === '') {
        response.writeHead(405).end();
        return;
      }
      const { id, method, params } = JSON.parse(text) as {
        id: unknown;
        method: string;
        params?: { arguments?: { n?: number } };
      };
      const n = params?.arguments?.n;
      if (method === 'tools/call' && n !== undefined) calls.set(n, (calls.get(n) ?? 0) + 1);
      const answer = JSON.stringify({ jsonrpc: '2.0', id, result: resultOf(method) });
      response.sendDate = false;
      if (shape === 'body' || method !== 'tools/call') {
        response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`: first\n\n`);
      setTimeout(() => response.end(`data: ${answer}\n\n`), 2);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    calls,
    async endConnections() {
      server.closeAllConnections();
      // Loopback and one turn of both ends.
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function resultOf(method: string): object {
  if (method === 'tools/call') return { resultType: 'complete', content: [{ type: 'text', text: 'done' }] };
  if (method === 'tools/list') {
    const tool = { name: 'echo', inputSchema: { type: 'object' } };
    return { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [tool] };
  }
  return { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
}
