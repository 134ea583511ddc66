import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { codeOf, dialerOf, errorOf, serve, serveBytes, type TestServer } from './support.ts';

const open: TestServer[] = [];
const dialer = dialerOf({ timeout: '400ms', maxBytes: '4KiB' });
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
afterAll(() => dialer.close());

async function answering(listener: RequestListener): Promise<TestServer> {
  const server = await serve(listener);
  open.push(server);
  return server;
}

async function saying(act: (socket: Socket) => void): Promise<TestServer> {
  const server = await serveBytes(act);
  open.push(server);
  return server;
}

/** Writes `first`, then `text` again and again until nobody listens. */
function repeat(
  socket: { write(text: string): unknown; on(event: 'close', done: () => void): unknown },
  text: string,
  ms: number,
  first = '',
): void {
  if (first !== '') socket.write(first);
  const timer = setInterval(() => socket.write(text), ms);
  socket.on('close', () => clearInterval(timer));
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

describe('an answer', () => {
  test('comes whole, without what no caller needs', async () => {
    const { url } = await answering((_, response) => {
      response.writeHead(201, {
        'content-type': 'application/json',
        'set-cookie': ['a=b', 'c=d'],
        'dpop-nonce': 'n',
        'cache-control': 'no-store',
      });
      response.end('{"a":1}');
    });
    const response = await dialer.dial(url);
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ a: 1 });
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({ 'dpop-nonce': 'n', 'cache-control': 'no-store' });
    expect(Object.keys(headers)).not.toContain('set-cookie');
  });

  test.each([200, 400, 401, 404, 429, 500, 503])('of status %i is an answer', async (status) => {
    const { url } = await answering((_, response) => response.writeHead(status).end('x'));
    expect(await dialer.dial(url)).toMatchObject({ status });
  });

  test.each([204, 205])('of status %i has no body', async (status) => {
    const { url } = await answering((_, response) => response.writeHead(status).end());
    expect(await (await dialer.dial(url)).text()).toBe('');
  });

  test('of exactly the size is not too large', async () => {
    const { url } = await answering((_, response) => response.end('x'.repeat(4096)));
    expect((await (await dialer.dial(url)).text()).length).toBe(4096);
  });
});

describe('redirects are not followed', () => {
  test.each([300, 301, 302, 303, 304, 307, 308, 399])('%i', async (status) => {
    const inside = await answering((_, response) => response.end('inside'));
    const { url } = await answering((_, response) => {
      response.writeHead(status, { location: inside.url, refresh: `0; url=${inside.url}` }).end();
    });
    expect(await codeOf(dialer.dial(url))).toBe('dial-redirect');
    expect(inside.connections()).toBe(0);
  });
});

describe('too large', () => {
  const cases: readonly (readonly [string, RequestListener])[] = [
    ['with a length', (_, response) => void response.end('x'.repeat(4097))],
    ['in pieces', (_, response) => repeat(response, 'x'.repeat(1000), 1)],
    [
      'by its announced length, without any byte',
      (_, response) => {
        response.writeHead(200, { 'content-length': '99999999999' });
        response.flushHeaders();
      },
    ],
    [
      'with an error status',
      (_, response) => {
        response.writeHead(500);
        repeat(response, 'x'.repeat(1000), 1);
      },
    ],
  ];
  test.each(cases)('%s', async (_, listener) => {
    const { url } = await answering(listener);
    expect(await errorOf(dialer.dial(`${url}/a?b=c`))).toMatchObject({
      code: 'dial-too-large',
      message: `${url}/a: more than 4096 bytes`,
    });
  });

  test.each([
    ['one long header', `x: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['many headers', `${'x: y\r\n'.repeat(5000)}\r\n`],
  ])('%s', async (_, headers) => {
    const { url } = await saying((socket) => socket.end(`${head}${headers}`));
    expect(await codeOf(dialer.dial(url))).toBe('dial-too-large');
  });

  test('headers without an end', async () => {
    const { url } = await saying((socket) => {
      socket.write(head);
      repeat(socket, `x: ${'y'.repeat(1000)}\r\n`, 1);
    });
    expect(await codeOf(dialer.dial(url))).toBe('dial-too-large');
  });

  test('trailers without an end', async () => {
    const { url } = await saying((socket) => {
      socket.write(`${head}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`);
      repeat(socket, `x: ${'y'.repeat(1000)}\r\n`, 1);
    });
    expect(await codeOf(dialer.dial(url))).toMatch(/^dial-(?:too-large|timeout)$/);
  });
});

describe('too slow', () => {
  const slow: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['nothing at all', () => {}],
    ['a status line letter by letter', (socket) => repeat(socket, 'H', 50)],
    ['headers one by one', (socket) => repeat(socket, 'x: y\r\n', 20, head)],
    ['a body byte by byte', (socket) => repeat(socket, 'x', 20, `${head}content-length: 4000\r\n\r\n`)],
    [
      'chunks byte by byte',
      (socket) => repeat(socket, '1\r\nx\r\n', 20, `${head}transfer-encoding: chunked\r\n\r\n`),
    ],
    ['a body that never ends', (socket) => socket.write(`${head}\r\n{`)],
    [
      'interim answers for ever',
      (socket) => repeat(socket, 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n', 5),
    ],
  ];
  test.each(slow)('%s', async (_, act) => {
    const { url } = await saying(act);
    expect(await codeOf(dialer.dial(url))).toMatch(/^dial-(?:timeout|answer)$/);
  });

  test('the name service', async () => {
    const hanging = dialerOf({ timeout: '50ms' }, { resolve: () => new Promise(() => {}) });
    expect(await errorOf(hanging.dial('https://idp.example/a?b=c'))).toMatchObject({
      code: 'dial-timeout',
      message: 'https://idp.example/a: more than 50 ms',
    });
  });

  test('a handshake that never comes', async () => {
    const { port } = await saying(() => {});
    expect(await codeOf(dialer.dial(`https://127.0.0.1:${port}/`))).toMatch(/^dial-(?:timeout|tls)$/);
  });
});

describe('encoded answers', () => {
  test('are not asked for', async () => {
    let asked: unknown;
    const { url } = await answering((request, response) => {
      asked = request.headers['accept-encoding'];
      response.end();
    });
    await dialer.dial(url);
    expect(asked).toBe('identity');
  });

  const bomb = gzipSync(Buffer.alloc(1_000_000));
  test.each(['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'identity, gzip', 'GZIP', 'x'])(
    'are refused: %s',
    async (encoding) => {
      const { url } = await answering((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(bomb);
      });
      expect(await codeOf(dialer.dial(url))).toBe('dial-encoding');
    },
  );

  test.each(['gzip, chunked', 'gzip', 'chunked, chunked', 'xchunked'])(
    'are refused where the transfer is: %s',
    async (encoding) => {
      const { url } = await saying((socket) =>
        socket.end(`${head}transfer-encoding: ${encoding}\r\n\r\n1\r\nx\r\n0\r\n\r\n`),
      );
      expect(await codeOf(dialer.dial(url))).toMatch(/^dial-(?:encoding|answer)$/);
    },
  );

  test('are bytes like any other where nothing says so: nothing is inflated', async () => {
    const { url } = await answering((_, response) => response.end(bomb));
    const bytes = Buffer.from(await (await dialer.dial(url)).arrayBuffer());
    expect(bytes.equals(bomb)).toBe(true);
  });
});

describe('answers that are none', () => {
  test.each([
    ['shorter than its length', `${head}content-length: 10\r\n\r\n{}`],
    ['cut in a chunk', `${head}transfer-encoding: chunked\r\n\r\n5\r\n{}`],
    ['without its last chunk', `${head}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`],
    ['with two lengths', `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}x`],
    [
      'with a length and chunks',
      `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['with a negative length', `${head}content-length: -1\r\n\r\n{}`],
    ['with a length of letters', `${head}content-length: 0x2\r\n\r\n{}`],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a greeting of another protocol', '220 mail.example ESMTP\r\n'],
    ['of TLS', '\x15\x03\x01\x00\x02\x02\x46'],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
    ['of status 999', 'HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n'],
    ['of status 600', 'HTTP/1.1 600 X\r\ncontent-length: 0\r\n\r\n'],
    ['nothing', ''],
  ])('%s', async (_, bytes) => {
    const { url } = await saying((socket) => socket.end(bytes, 'latin1'));
    expect(await codeOf(dialer.dial(url))).toBe('dial-answer');
  });

  test('a reset', async () => {
    const { url } = await saying((socket) => socket.resetAndDestroy());
    expect(await codeOf(dialer.dial(url))).toBe('dial-answer');
  });

  test('bytes behind the end are not read as the next answer', async () => {
    const evil = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil';
    const { url } = await saying((socket) => socket.end(`${head}content-length: 2\r\n\r\n{}${evil}`));
    for (let round = 0; round < 3; round++) {
      const answer = await dialer.dial(url).then(
        (response) => response.text(),
        (error) => error.code,
      );
      expect(['{}', 'dial-answer']).toContain(answer);
    }
  });
});
