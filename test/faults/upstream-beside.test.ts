import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { startCountingServer } from './endpoint-server.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { fault, scale } from './table.ts';

interface Bad {
  readonly http: Readonly<Record<string, unknown>>;
  /** Bytes of answers that all may hold. */
  readonly answerBytes?: string;
}

const answerHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const notification = `data: ${JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'x'.repeat(200) },
})}\n\n`;

/** A server that does to each connection what the row says. */
async function listening(talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}

/** Answers each request with a body of so many bytes. */
const giant =
  (bytes: number) =>
  (socket: Socket): void => {
    const piece = Buffer.alloc(65_536, 'x');
    socket.on('data', (request) => {
      const id = /"id":(\d+)/.exec(request.toString('latin1'))?.[1];
      if (id === undefined) return;
      const before = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`;
      const behind = '"}]}}';
      const length = before.length + bytes + behind.length;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`);
      socket.write(before);
      let left = bytes;
      const more = (): void => {
        while (left > 0) {
          const next = Math.min(left, piece.length);
          left -= next;
          if (!socket.write(piece.subarray(0, next)) && left > 0) {
            socket.once('drain', more);
            return;
          }
        }
        socket.write(behind);
      };
      more();
    });
  };

/** Answers by events that say nothing, as fast as they are taken, for ever. */
const endless = (socket: Socket): void => {
  const events = notification.repeat(100);
  const chunk = `${events.length.toString(16)}\r\n${events}\r\n`;
  socket.once('data', () => {
    socket.write(answerHead);
    const more = (): void => {
      if (socket.destroyed) return;
      if (socket.write(chunk)) setImmediate(more);
      else socket.once('drain', more);
    };
    more();
  });
};

const hanging = (): void => undefined;
const times = { connect: '300ms', headers: '500ms', idle: '500ms', total: '2s' };

const rows: readonly [string, () => Promise<Bad>][] = [
  [
    'a TLS handshake that stalls',
    async () => ({ http: { url: `https://localhost:${await listening(hanging)}/mcp`, timeouts: times } }),
  ],
  [
    'checks that hang, of each of eight endpoints',
    async () => {
      const port = await listening(hanging);
      const urls = Array.from({ length: 8 }, (_, index) => `http://127.0.0.1:${port}/${index}`);
      return { http: { urls, timeouts: times, health: { interval: '100ms', timeout: '1s' } } };
    },
  ],
  [
    '32 endpoints that are not there, as many as there may be',
    async () => {
      const port = await listening(hanging);
      // Loopback has more addresses than one; nothing listens at these.
      const urls = Array.from({ length: 32 }, (_, index) => `http://127.0.1.${index + 1}:${port}/mcp`);
      return { http: { urls, timeouts: times, health: { interval: '100ms', timeout: '1s' } } };
    },
  ],
  [
    'answers of 16 MiB',
    async () => ({
      http: { url: `http://127.0.0.1:${await listening(giant(16_000_000))}/mcp` },
      answerBytes: '64MiB',
    }),
  ],
  [
    'endless streams at full speed',
    async () => ({ http: { url: `http://127.0.0.1:${await listening(endless)}/mcp`, timeouts: times } }),
  ],
];

async function callBad(gate: TestGateway): Promise<void> {
  const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
  await post(gate.url('bad'), body, { headers });
}

for (const [name, start] of rows) {
  fault(
    `one of two upstreams: ${name}`,
    'its calls fail or take their time; the other one answers as ever',
    async (measured) => {
      const good = await startCountingServer();
      const { http, answerBytes } = await start();
      const gate = await startTestGateway({
        upstreams: {},
        door: 'plain',
        config: {
          upstreams: [
            { name: 'bad', path: '/bad/mcp', http },
            { name: 'good', path: '/good/mcp', http: { url: good.url } },
          ],
          ...(answerBytes === undefined ? {} : { limits: { memory: { answerBytes } } }),
        },
      });
      onTestFinished(async () => {
        await gate.close();
        await good.close();
      });
      const beside = startGoodTraffic(gate.url('good'), { perSecond: 50 });
      let isOver = false;
      let ended = 0;
      const callers = Array.from({ length: 8 }, async () => {
        while (!isOver) {
          await callBad(gate);
          ended += 1;
        }
      });
      await beside.answered(scale(100, 2000));
      isOver = true;
      await Promise.all(callers);
      measured(`${ended} calls of the bad one ended`);
      expectUnharmed(await beside.stop(), measured);
    },
    60_000,
  );
}

fault(
  'one of two upstreams: large answers, more than all may hold',
  'they take no more room than they leave; large answers of the other one pass',
  async (measured) => {
    const mebibyte = 1024 * 1024;
    // Never whole, so that its room is not given back; and large ones that are.
    const growing = await listening((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2000000\r\n\r\n');
        socket.write(Buffer.alloc(mebibyte, ' '));
      });
    });
    const large = await listening(giant(mebibyte));
    const gate = await startTestGateway({
      upstreams: {},
      door: 'plain',
      config: {
        limits: { memory: { answerBytes: '8MiB' } },
        upstreams: [
          {
            name: 'bad',
            path: '/bad/mcp',
            http: { url: `http://127.0.0.1:${growing}/mcp`, timeouts: { idle: '3s' } },
          },
          { name: 'good', path: '/good/mcp', http: { url: `http://127.0.0.1:${large}/mcp` } },
        ],
      },
    });
    onTestFinished(() => gate.close());
    const reasonOf = (text: string): string =>
      (JSON.parse(text) as { error?: { data?: { reason?: string } } }).error?.data?.reason ?? 'answered';
    const callLarge = async (name: string, id: number): Promise<string> =>
      reasonOf((await post(gate.url(name), legacy('tools/call', { name: 'echo' }, id))).body.toString());
    const bad = Array.from({ length: 20 }, (_, index) => callLarge('bad', index));
    // Those that find no room are told so at once; the others hold theirs until they are silent for too long.
    let dropped = 0;
    for (const one of bad) void one.then((reason) => (dropped += reason === 'answer-dropped' ? 1 : 0));
    while (dropped < 12) await new Promise((resolve) => setTimeout(resolve, 10));
    const good: string[] = [];
    for (let index = 0; index < 8; index += 1) good.push(await callLarge('good', index));
    expect(good).toEqual(good.map(() => 'answered'));
    expect(new Set(await Promise.all(bad))).toEqual(new Set(['answer-dropped', 'upstream-timeout']));
    measured(`${dropped} of 20 dropped, the rest held their room; ${good.length} of ${good.length} right`);
  },
);
