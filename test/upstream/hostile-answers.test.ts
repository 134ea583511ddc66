import { describe, expect, it } from 'vitest';
import {
  answering,
  asStream,
  closedPort,
  collect,
  failureOf,
  message,
  pong,
  rawServer,
  until,
  upstreamAt,
} from './harness.ts';

const json = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const sse = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
const chunked = 'transfer-encoding: chunked\r\n\r\n';

const limits = { resultBytes: '64KiB', eventBytes: '16KiB' };

/** Every row is one lie, the code that it becomes, and whether the server closes behind it. */
const lies: readonly { name: string; bytes: readonly string[]; code: string; closes?: boolean }[] = [
  { name: 'no HTTP at all', bytes: ['SSH-2.0-OpenSSH_9.9\r\n\r\n'], code: 'upstream-invalid' },
  {
    name: 'a bare line feed after the status',
    bytes: ['HTTP/1.1 200 OK\ncontent-length: 2\n\n{}'],
    code: 'upstream-invalid',
  },
  {
    name: '100 Continue that nobody asked for',
    bytes: ['HTTP/1.1 100 Continue\r\n\r\n'],
    code: 'upstream-invalid',
  },
  {
    name: '101 Switching Protocols',
    bytes: ['HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    code: 'upstream-invalid',
  },
  {
    name: 'endless early hints',
    bytes: ['HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(50)],
    code: 'upstream-invalid',
  },
  {
    name: 'endless headers',
    bytes: ['HTTP/1.1 200 OK\r\n', 'x-filler: aaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(4000)],
    code: 'upstream-invalid',
  },
  {
    name: 'one endless header',
    bytes: ['HTTP/1.1 200 OK\r\nx: ', 'a'.repeat(100_000)],
    code: 'upstream-invalid',
  },
  {
    name: 'two content lengths',
    bytes: [`${json}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'content length and transfer encoding',
    bytes: [`${json}content-length: 2\r\n${chunked}2\r\n{}\r\n0\r\n\r\n`],
    code: 'upstream-invalid',
  },
  {
    name: 'a content length that is no number',
    bytes: [`${json}content-length: 2x\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  { name: 'bad chunk size', bytes: [`${json}${chunked}zz\r\n{}\r\n0\r\n\r\n`], code: 'upstream-invalid' },
  {
    name: 'chunk longer than its size',
    bytes: [`${json}${chunked}1\r\n{}\r\n0\r\n\r\n`],
    code: 'upstream-invalid',
  },
  {
    name: 'chunk size beyond counting',
    bytes: [`${json}${chunked}fffffffffffffffff\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'end within the headers',
    bytes: ['HTTP/1.1 200 OK\r\ncontent-'],
    code: 'upstream-closed',
    closes: true,
  },
  {
    name: 'end before the promised length',
    bytes: [`${json}content-length: 100\r\n\r\n{`],
    code: 'upstream-closed',
    closes: true,
  },
  {
    name: 'end before the promised length, connection: close',
    bytes: [`${json}connection: close\r\ncontent-length: 100\r\n\r\n{`],
    code: 'upstream-closed',
    closes: true,
  },
  { name: 'end within a chunk', bytes: [`${json}${chunked}64\r\n{`], code: 'upstream-closed', closes: true },
  {
    name: 'end within a chunk, connection: close',
    bytes: [`${json}connection: close\r\n${chunked}64\r\n{`],
    code: 'upstream-closed',
    closes: true,
  },
  { name: 'end before any byte', bytes: [], code: 'upstream-closed', closes: true },
  {
    name: 'a length beyond the limit',
    bytes: [`${json}content-length: 65537\r\n\r\n{`],
    code: 'result-too-large',
  },
  {
    name: 'a length beyond the limit, connection: close',
    bytes: [`${json}connection: close\r\ncontent-length: 70000\r\n\r\n${'x'.repeat(70_000)}`],
    code: 'result-too-large',
  },
  {
    name: 'a length beyond all numbers',
    bytes: [`${json}content-length: 9007199254740993\r\n\r\n{`],
    code: 'result-too-large',
  },
  {
    name: 'JSON without end in chunks',
    bytes: [`${json}${chunked}`, `3e8\r\n${'x'.repeat(1000)}\r\n`.repeat(70)],
    code: 'result-too-large',
  },
  {
    name: 'JSON without end in chunks of one byte',
    bytes: [`${json}${chunked}`, '1\r\nx\r\n'.repeat(66_000)],
    code: 'result-too-large',
  },
  {
    name: 'JSON until the connection ends, too long',
    bytes: [`${json}connection: close\r\n\r\n`, 'x'.repeat(70_000)],
    code: 'result-too-large',
    closes: true,
  },
  {
    name: 'endless trailers',
    bytes: [`${json}${chunked}2\r\n{}\r\n0\r\n`, 'x-filler: aaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(4000)],
    code: 'upstream-invalid',
  },
  {
    name: 'gzip',
    bytes: [`${json}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'two content encodings',
    bytes: [`${json}content-encoding: identity\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'compressed events',
    bytes: [`${sse}content-encoding: br\r\n${chunked}`],
    code: 'upstream-invalid',
  },
  {
    name: 'two content types',
    bytes: [`${json}content-type: text/event-stream\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'HTML with status 200',
    bytes: ['HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>'],
    code: 'upstream-invalid',
  },
  {
    name: 'UTF-16',
    bytes: [
      'HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-16le\r\ncontent-length: 2\r\n\r\n{}',
    ],
    code: 'upstream-invalid',
  },
  {
    name: 'a related JSON type',
    bytes: ['HTTP/1.1 200 OK\r\ncontent-type: application/json-seq\r\ncontent-length: 2\r\n\r\n{}'],
    code: 'upstream-invalid',
  },
  {
    name: 'a suffix JSON type',
    bytes: ['HTTP/1.1 200 OK\r\ncontent-type: application/problem+json\r\ncontent-length: 2\r\n\r\n{}'],
    code: 'upstream-invalid',
  },
  {
    name: 'a body without a type',
    bytes: ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
    code: 'upstream-invalid',
  },
  {
    name: 'a stream with status 201',
    bytes: [`HTTP/1.1 201 Created\r\ncontent-type: text/event-stream\r\n${chunked}`],
    code: 'upstream-invalid',
  },
  {
    name: 'two session ids',
    bytes: [`${json}mcp-session-id: a\r\nmcp-session-id: b\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'a session id with a space',
    bytes: [`${json}mcp-session-id: a b\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'a session id with a byte above ASCII',
    bytes: [`${json}mcp-session-id: a\xe9\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'an empty session id',
    bytes: [`${json}mcp-session-id:\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
  {
    name: 'a session id of 1025 bytes',
    bytes: [`${json}mcp-session-id: ${'a'.repeat(1025)}\r\ncontent-length: 2\r\n\r\n{}`],
    code: 'upstream-invalid',
  },
];

describe('hostile answers', () => {
  for (const { name, bytes, code, closes } of lies) {
    it(`${name}: one clean error, and the socket is gone`, async () => {
      const { url, sockets } = await rawServer((socket) => {
        answering(...bytes.map((text) => Buffer.from(text, 'latin1')))(socket);
        if (closes) {
          socket.on('data', () => socket.end());
        }
      });
      const failure = await failureOf(upstreamAt(url, { limits }).send(message()));
      expect(failure.code).toBe(code);
      expect(JSON.stringify(failure.cause)).not.toContain('xxxx');
      expect(failure.message).not.toMatch(/127\.0\.0\.1|UND_ERR|HPE|socket/i);
      await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
    });
  }

  for (const [name, bytes] of [
    ['a line without end', `data: ${'x'.repeat(20_000)}`],
    ['a comment without end', `:${'x'.repeat(20_000)}`],
    ['an event of many lines', `data: ${'x'.repeat(1000)}\n`.repeat(20)],
  ] as const) {
    it(`${name} in a stream: one clean error, and the socket is gone`, async () => {
      const { url, sockets } = await rawServer(answering(`${sse}\r\ndata: {}\n\n`));
      const { events } = asStream(await upstreamAt(url, { limits }).send(message()));
      const iterator = events[Symbol.asyncIterator]();
      expect((await iterator.next()).value.data.toString()).toBe('{}');
      sockets[0]!.write(bytes);
      expect((await failureOf(iterator.next())).code).toBe('result-too-large');
      await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
    });
  }

  for (const [name, head] of [
    ['of chunks', `${sse}${chunked}10\r\ndata: 1\n\ndata: 2\r\n`],
    ['of promised length', `${sse}content-length: 500\r\n\r\ndata: 1\n\n`],
  ] as const) {
    it(`a stream ${name} that breaks off gives its events, then upstream-closed`, async () => {
      const { url } = await rawServer((socket) => {
        socket.on('data', () => socket.end(head));
      });
      const { events } = asStream(await upstreamAt(url).send(message()));
      const iterator = events[Symbol.asyncIterator]();
      expect((await iterator.next()).value.data.toString()).toBe('1');
      expect((await failureOf(iterator.next())).code).toBe('upstream-closed');
      expect((await iterator.next()).done).toBe(true);
    });
  }

  it('a second answer to one question never reaches the next call', async () => {
    const { url, sockets } = await rawServer((socket, connection) => {
      socket.on('data', () => {
        const own = `{"n":${connection}}`;
        const extra = connection === 1 ? `${json}content-length: 12\r\n\r\n{"stolen":1}` : '';
        socket.write(`${json}content-length: ${own.length}\r\n\r\n${own}${extra}`);
      });
    });
    const upstream = upstreamAt(url, { limits: { connections: 1 } });
    const answers = await Promise.all([upstream.send(message()), upstream.send(message())]);
    expect(answers.map((answer) => answer.kind === 'json' && answer.body.toString())).toEqual([
      '{"n":1}',
      '{"n":2}',
    ]);
    expect(sockets.length).toBe(2);
  });

  it('bytes behind the promised length never reach the next call', async () => {
    const { url, sockets } = await rawServer(answering(`${json}content-length: 2\r\n\r\n{}{"more":1}`));
    const upstream = upstreamAt(url, { limits: { connections: 1 } });
    for (let call = 0; call < 3; call++) {
      const answer = await upstream.send(message());
      expect(answer.kind === 'json' && answer.body.toString()).toBe('{}');
    }
    expect(sockets.length).toBe(3);
  });

  it('a refused page without end is not read to its end', async () => {
    let written = 0;
    const { url, sockets } = await rawServer((socket) => {
      socket.on('data', () => {
        socket.write('HTTP/1.1 500 X\r\ncontent-type: text/html\r\n\r\n');
        const more = () => {
          while (!socket.destroyed && socket.write('x'.repeat(65_536))) {
            written += 65_536;
          }
        };
        socket.on('drain', more);
        more();
      });
    });
    expect(await upstreamAt(url).send(message())).toEqual({ kind: 'refused', status: 500 });
    await until(() => sockets.every((socket) => socket.destroyed));
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('a silent page behind a refusal does not keep its connection', async () => {
    const { url, sockets } = await rawServer(answering('HTTP/1.1 500 X\r\ncontent-length: 9\r\n\r\n'));
    expect(await upstreamAt(url).send(message())).toEqual({ kind: 'refused', status: 500 });
    await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  it('a good answer after a hostile one is given', async () => {
    const { url } = await rawServer((socket, connection) => {
      answering(
        connection === 1 ? 'nonsense\r\n\r\n' : `${json}content-length: ${pong.length}\r\n\r\n${pong}`,
      )(socket);
    });
    const upstream = upstreamAt(url);
    expect((await failureOf(upstream.send(message()))).code).toBe('upstream-invalid');
    expect((await upstream.send(message())).kind).toBe('json');
  });

  it('nobody listening is upstream-unreachable, and the address stays inside', async () => {
    const port = await closedPort();
    const failure = await failureOf(upstreamAt(`http://127.0.0.1:${port}/mcp`).send(message()));
    expect([failure.code, failure.message]).toEqual([
      'upstream-unreachable',
      'The server behind the gateway cannot be reached',
    ]);
    expect(String((failure.cause as Error).message)).toContain(String(port));
  });

  it('a name that does not exist is upstream-unreachable', async () => {
    const failure = await failureOf(upstreamAt('http://no-such-host.invalid/mcp').send(message()));
    expect(failure.code).toBe('upstream-unreachable');
  });

  it('collect sees the end of an empty stream', async () => {
    const { url } = await rawServer((socket) => {
      socket.on('data', () => socket.end(`${sse}connection: close\r\n\r\n`));
    });
    expect(await collect(asStream(await upstreamAt(url).send(message())).events)).toEqual([]);
  });
});
