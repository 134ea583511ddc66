/**
 * CPU time of this process per request: a bare `Pool.dispatch` that collects its answer, and
 * `createHttpUpstream().send`, against the same server in a child process.
 *
 *     node bench/upstream.ts [requests per round] [concurrency]
 *
 * Rounds alternate, so that a busy machine disturbs both alike; the smallest round of each counts.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Dispatcher, Pool } from 'undici';
import { createHttpUpstream } from '../src/upstream/http.ts';
import { httpUpstreamOptions } from '../src/upstream/options.ts';

const body = Buffer.from(
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"sql":"select 1"}}}',
);
const answer = Buffer.from(
  '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"1"}],"isError":false}}',
);
const rounds = 7;

function serve(): void {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.url === '/stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${answer}\n\n`);
      } else {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
          .end(answer);
      }
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit());
}

async function measure(requests: number, concurrency: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const port = await new Promise<number>((resolve) =>
    child.once('message', (value) => resolve(Number(value))),
  );
  const origin = `http://127.0.0.1:${port}`;
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });
  const limits = { connections: concurrency };
  const json = createHttpUpstream('json', httpUpstreamOptions.parse({ url: `${origin}/json`, limits }));
  const stream = createHttpUpstream('stream', httpUpstreamOptions.parse({ url: `${origin}/stream`, limits }));

  const contenders: readonly { name: string; call: (signal: AbortSignal) => Promise<unknown> }[] = [
    { name: 'undici dispatch, JSON', call: () => bare(pool, '/json') },
    {
      name: 'send, JSON',
      call: (signal) => json.send({ verb: 'POST', body, headers: [], longLived: false, signal }),
    },
    { name: 'undici dispatch, stream', call: () => bare(pool, '/stream') },
    {
      name: 'send, stream',
      call: async (signal) => {
        const reply = await stream.send({
          verb: 'POST',
          body,
          headers: [],
          longLived: false,
          signal,
        });
        if (reply.kind === 'stream') {
          for await (const _ of reply.events) {
            // Counting them is not what is measured.
          }
        }
      },
    },
  ];
  const best = new Map<string, number>();
  for (let round = 0; round <= rounds; round++) {
    for (const { name, call } of contenders) {
      const cpu = await cpuPerCall(call, requests, concurrency);
      // The first round warms up.
      if (round > 0) {
        best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, cpu));
      }
    }
  }
  for (const [name, cpu] of best) {
    console.log(`${name.padEnd(26)} ${cpu.toFixed(1)} µs CPU a request`);
  }
  for (const kind of ['JSON', 'stream']) {
    const ratio = (best.get(`send, ${kind}`) ?? 0) / (best.get(`undici dispatch, ${kind}`) ?? 1);
    console.log(`${`ratio, ${kind}`.padEnd(26)} ${ratio.toFixed(2)}`);
  }
  await Promise.all([pool.close(), json.close(), stream.close()]);
  child.disconnect();
}

async function cpuPerCall(
  call: (signal: AbortSignal) => Promise<unknown>,
  requests: number,
  concurrency: number,
): Promise<number> {
  let left = requests;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      // One for many calls: making a signal for each exchange is the caller's cost.
      const { signal } = new AbortController();
      while (left-- > 0) {
        await call(signal);
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests;
}

function bare(pool: Pool, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData(_, piece) {
        pieces.push(piece);
      },
      onResponseEnd() {
        resolve(Buffer.concat(pieces));
      },
      onResponseError(_, error) {
        reject(error);
      },
    };
    const headers = ['accept', 'application/json, text/event-stream', 'content-type', 'application/json'];
    pool.dispatch({ path, method: 'POST', headers, body }, handler);
  });
}

if (process.argv[2] === 'serve') {
  serve();
} else {
  await measure(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 32));
}
