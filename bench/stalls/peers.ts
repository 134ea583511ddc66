/** Client and server of the stalls bench, on a thread of their own: what they cost must not count. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';

/** What is sent through the gateway, and what comes back. */
export interface Question {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Behind `{"jsonrpc":"2.0","id":N,`. Undefined: a small result. */
  readonly answer: Uint8Array | undefined;
  /** Content type of the answer. */
  readonly type: 'json' | 'sse';
  /** Result of `tools/list`, as JSON text. */
  readonly tools: string;
}

export interface Reply {
  readonly status: number;
  readonly bytes: number;
  /** The beginning of what came, to see what it is. */
  readonly head: string;
}

const port = parentPort!;
const smallAnswer = Buffer.from('"result":{"resultType":"complete","content":[]}}');
let question: Question | undefined;

const server = createServer((req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts);
    const head = body.toString('latin1', 0, 400);
    const id = /"id":\s*("[^"]*"|\d+)/.exec(head)?.[1] ?? '1';
    const isList = req.headers['mcp-method'] === 'tools/list' || head.includes('"method":"tools/list"');
    const start = `{"jsonrpc":"2.0","id":${id},`;
    // The gateway looks at the list by itself too: that look sees the tools, not the answer under test.
    const isAside = isList && question?.headers['mcp-method'] !== 'tools/list';
    const rest = isAside ? Buffer.from(`"result":${question?.tools}}`) : (question?.answer ?? smallAnswer);
    if (question?.type === 'sse' && !isAside) {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(Buffer.concat([Buffer.from(`data: ${start}`), rest, Buffer.from('\n\n')]));
      return;
    }
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(Buffer.concat([Buffer.from(start), rest]));
  });
});

function ask({ url, headers, body }: Question): Promise<Reply> {
  return new Promise((resolve) => {
    const lost = (error: Error): void => resolve({ status: 0, bytes: 0, head: error.message });
    const sent = request(url, { method: 'POST', headers, agent: false }, (res) => {
      let bytes = 0;
      let head = '';
      res.on('data', (part: Buffer) => {
        bytes += part.length;
        if (head.length < 300) head += part.toString('latin1', 0, 300);
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, bytes, head }));
      res.on('error', lost);
    });
    sent.on('error', lost);
    sent.end(body);
  });
}

server.listen(0, '127.0.0.1', () => {
  port.postMessage({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
});
port.on('message', async (asked: Question | 'end') => {
  if (asked === 'end') {
    server.close();
    server.closeAllConnections();
    port.close();
    return;
  }
  question = asked;
  port.postMessage(await ask(asked));
});
