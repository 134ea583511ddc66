/** The MCP server behind all targets: answers at once, so that nearly all that is measured is the way there. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { largeText } from './cases.ts';
import { answerParent } from './child.ts';
import { tools } from './tools.ts';

const large = JSON.stringify({ content: [{ type: 'text', text: largeText }], isError: false });
const small = JSON.stringify({
  content: [{ type: 'text', text: '{"rows":[["north",42],["south",17]]}' }],
  isError: false,
});
const initialized = JSON.stringify({
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'bench', version: '1.0.0' },
});

/** The gateway asks for it before it lets anything be called. */
const listed = JSON.stringify({ resultType: 'complete', tools, ttlMs: 3_600_000, cacheScope: 'private' });

interface Call {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly _meta?: { readonly progressToken?: number | string } };
}

function progress(token: number | string, at: number): string {
  const params = { progressToken: token, progress: at, total: 19, message: `table ${at} of 19` };
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params });
}

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const call = JSON.parse(Buffer.concat(pieces).toString()) as Call;
    const answer = (result: string): string =>
      `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":${result}}`;
    const send = (result: string, headers: Record<string, string> = {}): void => {
      const body = Buffer.from(answer(result));
      response.writeHead(200, {
        ...headers,
        'content-type': 'application/json',
        'content-length': body.length,
      });
      response.end(body);
    };
    if (call.method === 'initialize') {
      send(initialized, { 'mcp-session-id': '6f0a6f1e-8d1c-4a55-9a3f-2f6f0a1b7c11' });
    } else if (call.method === 'tools/list') {
      send(listed);
    } else if (call.method !== 'tools/call') {
      response.writeHead(call.id === undefined ? 202 : 404).end();
    } else if (call.params?.name === 'describe_tables') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      const token = call.params._meta?.progressToken ?? 0;
      for (let at = 1; at < 20; at += 1) response.write(`event: message\ndata: ${progress(token, at)}\n\n`);
      response.end(`event: message\ndata: ${answer(small)}\n\n`);
    } else {
      send(call.params?.name === 'write_file' ? large : small);
    }
  });
});
server.keepAliveTimeout = 120_000;

answerParent(
  () =>
    new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () =>
        resolve({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` }),
      );
    }),
);
