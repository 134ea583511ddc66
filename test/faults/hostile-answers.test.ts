import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ErrorCode, errorTable } from '../../src/errors.ts';
import { connectClient, connectClient1 } from '../support/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  drip,
  type HostileServer,
  type Hostility,
  honestAnswer,
  pump,
  type Surface,
  startHostileServer,
  wholeAnswer,
} from '../support/hostile-server.ts';
import { expectNoConnections } from '../support/leaks.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer, send } from '../support/raw-client.ts';
import { SseEvents } from '../support/sse-events.ts';
import { fault } from './table.ts';

const json = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const sse = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
const chunked = 'transfer-encoding: chunked\r\n\r\n';
const untilClosed = 'connection: close\r\n\r\n';

/** One answer that no server should give. */
interface Disguise {
  readonly act: Hostility;
  /** Reasons that the caller may be told. */
  readonly reasons: readonly ErrorCode[];
  /** False where HTTP is in order, so that its connection is too. Default: it must be closed. */
  readonly closes?: boolean;
}

/** Marks what must not reach the caller. */
const secret = 'secret-of-the-server';

const invalid: readonly ErrorCode[] = ['upstream-invalid'];
const large: readonly ErrorCode[] = ['result-too-large'];
const late: readonly ErrorCode[] = ['upstream-timeout'];
/** What costs the gateway more for each byte may run into a time before a size, where the machine is busy. */
const largeOrLate: readonly ErrorCode[] = [...large, ...late];
const closed: readonly ErrorCode[] = ['upstream-closed'];
const either: readonly ErrorCode[] = ['upstream-invalid', 'upstream-closed'];

const says =
  (bytes: string | Buffer): Hostility =>
  (socket) =>
    void socket.write(bytes);
const saysAndEnds =
  (bytes: string | Buffer): Hostility =>
  (socket) =>
    void socket.end(bytes);
const asJson =
  (make: (honest: string, id: string) => string | Buffer): Hostility =>
  (socket, request) =>
    void socket.write(wholeAnswer(make(honestAnswer(request) ?? '{}', request.id)));
const asEvent =
  (make: (honest: string, id: string) => string | Buffer): Hostility =>
  (socket, request) =>
    void socket.end(
      Buffer.concat([
        Buffer.from(`${sse}data: `),
        Buffer.from(make(honestAnswer(request) ?? '{}', request.id)),
        Buffer.from('\n\n'),
      ]),
    );
const bad = (...bytes: number[]): Buffer => Buffer.from(bytes);
/** Puts bytes into a text of the result, a name, the end, … */
const inside = (honest: string, at: 'text' | 'key' | 'start' | 'end', bytes: Buffer): Buffer => {
  if (at === 'start') return Buffer.concat([bytes, Buffer.from(honest)]);
  if (at === 'end') return Buffer.concat([Buffer.from(honest), bytes]);
  const position = at === 'text' ? honest.length - 2 : honest.indexOf('"result"') + 1;
  const before = at === 'text' ? ',"x":"' : ',"';
  const after = at === 'text' ? '"' : '":1';
  const [left, right] =
    at === 'text'
      ? [honest.slice(0, position + 1), honest.slice(position + 1)]
      : [honest.slice(0, position - 2), honest.slice(position - 2)];
  return Buffer.concat([Buffer.from(left + before), bytes, Buffer.from(after + right)]);
};

const zeros = Buffer.alloc(64 * 1024 * 1024);
const bombs = {
  gzip: gzipSync(zeros),
  br: brotliCompressSync(zeros, { params: {} }),
  deflate: deflateSync(zeros),
  zstd: zstdCompressSync(zeros),
};
const encoded = (encoding: string, body: Buffer): Hostility =>
  says(wholeAnswer(body, 'application/json', `content-encoding: ${encoding}\r\n`));

/** Every group is one row of the table of faults. */
const groups: Readonly<Record<string, Readonly<Record<string, Disguise>>>> = {
  'answers without end': {
    'comments only': { act: (socket) => pump(socket, sse, ': here\n\n'.repeat(1000)), reasons: largeOrLate },
    'comments, now and then': { act: (socket) => drip(socket, sse, ':\n\n', 30), reasons: late },
    'tiny events of another type': {
      act: (socket) => pump(socket, sse, 'event: ping\ndata: 1\n\n'.repeat(1000)),
      reasons: largeOrLate,
    },
    'priming events': {
      act: (socket) => pump(socket, sse, 'id: 1\ndata:\n\n'.repeat(1000)),
      reasons: largeOrLate,
    },
    'pings of the server': {
      act: (socket) =>
        pump(socket, sse, 'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'.repeat(100)),
      reasons: large,
    },
    'answers to nobody': {
      act: (socket) => pump(socket, sse, 'data: {"jsonrpc":"2.0","id":7,"result":{}}\n\n'.repeat(100)),
      reasons: large,
    },
    'one line': { act: (socket) => pump(socket, `${sse}data: `, 'x'.repeat(65_536)), reasons: large },
    'one line of a comment': { act: (socket) => pump(socket, `${sse}:`, 'x'.repeat(65_536)), reasons: large },
    'one line without a colon': { act: (socket) => pump(socket, sse, 'x'.repeat(65_536)), reasons: large },
    'data lines': { act: (socket) => pump(socket, sse, 'data: x\n'.repeat(8192)), reasons: largeOrLate },
    'empty data lines': { act: (socket) => pump(socket, sse, 'data\n'.repeat(8192)), reasons: largeOrLate },
    'ids and nothing else': {
      act: (socket) => pump(socket, sse, `id: ${'i'.repeat(900)}\n`.repeat(64)),
      reasons: largeOrLate,
    },
    'JSON in chunks': {
      act: (socket) => pump(socket, `${json}${chunked}5\r\n{"a":\r\n`, `1000\r\n${'['.repeat(4096)}\r\n`),
      reasons: large,
    },
    'JSON in chunks of one byte': {
      act: (socket) => pump(socket, `${json}${chunked}`, '1\r\n[\r\n'.repeat(4096)),
      reasons: largeOrLate,
    },
    'JSON until the end of the connection': {
      act: (socket) => pump(socket, `${json}${untilClosed}["`, 'x'.repeat(65_536)),
      reasons: large,
    },
    'white space behind the JSON': {
      act: (socket, request) => {
        const honest = honestAnswer(request) ?? '{}';
        pump(
          socket,
          `${json}${chunked}${honest.length.toString(16)}\r\n${honest}\r\n`,
          `1000\r\n${' '.repeat(4096)}\r\n`,
        );
      },
      reasons: large,
    },
    'a byte now and then': {
      act: (socket) => drip(socket, `${json}content-length: 5000\r\n\r\n`, '{', 30),
      reasons: late,
    },
    nothing: { act: () => undefined, reasons: late },
    'half a status line': { act: says('HTTP/1.1 2'), reasons: late },
    'a header now and then': {
      act: (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'x-a: b\r\n', 30),
      reasons: [...late, ...invalid],
    },
  },
  'one gigantic event': {
    'one data line': {
      act: (socket) => pump(socket, `${sse}data: "`, secret.repeat(4096), 64),
      reasons: large,
    },
    'in many data lines': {
      act: (socket) => pump(socket, sse, `data: ${secret}\n`.repeat(4096), 64),
      reasons: large,
    },
  },
  'text that is not UTF-8': Object.fromEntries(
    (['text', 'key', 'start', 'end'] as const).flatMap((at) =>
      (
        [
          ['a stray byte', bad(0xff)],
          ['half a letter', bad(0xc3)],
          ['a letter too long', bad(0xc0, 0xaf)],
          ['half a surrogate', bad(0xed, 0xa0, 0x80)],
          ['beyond Unicode', bad(0xf4, 0x90, 0x80, 0x80)],
          ...(at === 'start' ? ([['a byte order mark', bad(0xef, 0xbb, 0xbf)]] as const) : []),
        ] as const
      ).flatMap(([what, bytes]) => [
        [
          `${what} at ${at}, JSON`,
          { act: asJson((honest) => inside(honest, at, bytes)), reasons: invalid, closes: false },
        ],
        [
          `${what} at ${at}, SSE`,
          { act: asEvent((honest) => inside(honest, at, bytes)), reasons: either, closes: true },
        ],
      ]),
    ),
  ),
  'answers under other ids': Object.fromEntries(
    (
      [
        ['another number', '424242'],
        ['the next number', '+1'],
        ['the id as text', 'text'],
        ['null', 'null'],
        ['a fraction', '.5'],
        ['an exponent', 'e0'],
        ['an object', '{}'],
        ['a list', '[1]'],
        ['true', 'true'],
        ['two ids', 'two'],
        ['none', ''],
      ] as const
    ).flatMap(([what, how]) => {
      const make = (honest: string, id: string): string => {
        const other =
          how === '+1'
            ? `${Number(id) + 1}`
            : how === 'text'
              ? `"${id}"`
              : how === '.5' || how === 'e0'
                ? `${id}${how}`
                : how;
        if (how === 'two') return honest.replace(`"id":${id}`, `"id":${id},"id":${id}`);
        if (how === '') return honest.replace(`"id":${id},`, '');
        return honest.replace(`"id":${id}`, `"id":${other}`);
      };
      return [
        [`${what}, JSON`, { act: asJson(make), reasons: [...either, 'upstream-refused'], closes: false }],
        [`${what}, SSE`, { act: asEvent(make), reasons: [...either, 'upstream-refused'] }],
      ];
    }),
  ),
  'answers that are two': {
    'a result and an error': {
      act: asJson((honest) => honest.replace('"result"', '"error":{"code":1,"message":"x"},"result"')),
      reasons: invalid,
      closes: false,
    },
    'two results': {
      act: asJson((honest) => honest.replace('"result"', '"result":{},"result"')),
      reasons: invalid,
      closes: false,
    },
    'two bodies in one': { act: asJson((honest) => honest + honest), reasons: invalid, closes: false },
    'a list of two': { act: asJson((honest) => `[${honest},${honest}]`), reasons: invalid, closes: false },
    'a list of one': { act: asJson((honest) => `[${honest}]`), reasons: invalid, closes: false },
    'lines of JSON in one event': {
      act: asEvent((honest) => `${honest}\ndata: ${honest}`),
      reasons: invalid,
    },
    'a question in place of an answer': {
      act: asJson((_, id) => `{"jsonrpc":"2.0","id":${id},"method":"sampling/createMessage","params":{}}`),
      reasons: invalid,
      closes: false,
    },
  },
  'compressed answers': {
    ...Object.fromEntries(
      Object.entries(bombs).flatMap(([encoding, bomb]) => [
        [`a bomb in ${encoding}`, { act: encoded(encoding, bomb), reasons: [...invalid, ...large] }],
        [
          `${encoding} that does not say so`,
          { act: says(wholeAnswer(bomb)), reasons: [...invalid, ...large], closes: false },
        ],
        [
          `${encoding} in an event stream`,
          {
            act: (socket) =>
              pump(socket, sse.replace('\r\n\r\n', `\r\ncontent-encoding: ${encoding}\r\n\r\n`), bomb, 1),
            reasons: invalid,
          },
        ],
      ]),
    ),
    'encoded twice': { act: encoded('gzip, gzip', gzipSync(bombs.gzip)), reasons: invalid },
    'two headers': { act: encoded('identity\r\ncontent-encoding: gzip', bombs.gzip), reasons: invalid },
    'an encoding that is none': { act: encoded('x-secret', Buffer.from('{}')), reasons: invalid },
    'a transfer encoding': {
      act: saysAndEnds(`${json}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
      reasons: either,
    },
    'plain text that claims to be gzip': {
      act: (socket, request) =>
        void socket.write(
          wholeAnswer(honestAnswer(request) ?? '{}', 'application/json', 'content-encoding: gzip\r\n'),
        ),
      reasons: invalid,
    },
  },
  'lengths that lie': {
    'too short': {
      act: (socket, request) =>
        void socket.write(
          `${json}content-length: 20\r\n\r\n${honestAnswer(request) ?? '{"jsonrpc":"2.0"}'}${secret}`,
        ),
      reasons: either,
    },
    'too long': { act: saysAndEnds(`${json}content-length: 5000\r\n\r\n{"a":"${secret}"}`), reasons: closed },
    negative: { act: says(`${json}content-length: -1\r\n\r\n{}`), reasons: invalid },
    'with a sign': { act: says(`${json}content-length: +2\r\n\r\n{}`), reasons: invalid },
    hexadecimal: { act: says(`${json}content-length: 0x2\r\n\r\n{}`), reasons: invalid },
    'two of them': { act: says(`${json}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`), reasons: invalid },
    'two in one': { act: says(`${json}content-length: 2, 3\r\n\r\n{}`), reasons: invalid },
    huge: { act: says(`${json}content-length: 999999999999\r\n\r\n{`), reasons: large },
    'beyond counting': {
      act: says(`${json}content-length: 99999999999999999999999\r\n\r\n{`),
      reasons: [...invalid, ...large],
    },
    'beside chunks': {
      act: says(`${json}content-length: 2\r\n${chunked}2\r\n{}\r\n0\r\n\r\n`),
      reasons: invalid,
    },
    nought: { act: says(`${json}content-length: 0\r\n\r\n{"a":"${secret}"}`), reasons: either },
  },
  'chunks that lie': {
    'a size that is no number': { act: says(`${json}${chunked}zz\r\n{}\r\n0\r\n\r\n`), reasons: invalid },
    'a size with a sign': { act: says(`${json}${chunked}-2\r\n{}\r\n0\r\n\r\n`), reasons: invalid },
    'a size beyond counting': { act: says(`${json}${chunked}ffffffffffffffffff\r\n{}`), reasons: invalid },
    'a huge size': {
      act: (socket) => pump(socket, `${json}${chunked}7fffffff\r\n`, 'x'.repeat(65_536)),
      reasons: large,
    },
    'too short': { act: says(`${json}${chunked}1\r\n{}\r\n0\r\n\r\n`), reasons: invalid },
    'no line end': { act: says(`${json}${chunked}2\r\n{}0\r\n\r\n`), reasons: invalid },
    'a gigantic extension': {
      act: (socket) => pump(socket, `${json}${chunked}2;`, 'x'.repeat(65_536), 32),
      reasons: [...invalid, ...late, ...large],
    },
    'endless trailers': {
      act: (socket) => pump(socket, `${json}${chunked}2\r\n{}\r\n0\r\n`, 'x: y\r\n'.repeat(4096)),
      reasons: invalid,
    },
    'an end within a chunk': { act: saysAndEnds(`${json}${chunked}64\r\n{"a":"${secret}`), reasons: closed },
  },
  'answers before the answer': {
    ...Object.fromEntries(
      [100, 102, 103].map((status) => [
        `ten thousand times ${status}`,
        { act: says(`HTTP/1.1 ${status} Wait\r\n\r\n`.repeat(10_000)), reasons: invalid },
      ]),
    ),
    'now and then 102': {
      act: (socket) => drip(socket, '', 'HTTP/1.1 102 Wait\r\n\r\n', 20),
      reasons: [...invalid, ...late],
    },
    '101 and another protocol': {
      act: says('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
      reasons: invalid,
    },
    '199': { act: says('HTTP/1.1 199 What\r\n\r\n'), reasons: [...late, ...invalid] },
  },
  'heads that are none': {
    'sixty-four thousand headers': {
      act: says(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(65_536)}\r\n`),
      reasons: invalid,
    },
    'one header of ten megabytes': {
      act: (socket) => pump(socket, 'HTTP/1.1 200 OK\r\nx: ', 'y'.repeat(65_536), 160),
      reasons: invalid,
    },
    'a header without a colon': { act: says(`HTTP/1.1 200 OK\r\n${secret}\r\n\r\n`), reasons: invalid },
    'a header with a NUL': {
      act: says('HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n'),
      reasons: invalid,
    },
    'a folded header': {
      act: says('HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n'),
      reasons: invalid,
    },
    'a space before the colon': {
      act: says('HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}'),
      reasons: invalid,
    },
    'bare line feeds': { act: says('HTTP/1.1 200 OK\ncontent-length: 2\n\n{}'), reasons: invalid },
    'bare carriage returns': {
      act: says('HTTP/1.1 200 OK\rcontent-length: 2\r\r{}'),
      reasons: [...invalid, ...late],
    },
    'HTTP/0.9': { act: saysAndEnds(`<html>${secret}</html>`), reasons: either },
    'HTTP/2': { act: says('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), reasons: invalid },
    'HTTP/9.9': { act: says('HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n'), reasons: invalid },
    'another protocol': { act: says(`SSH-2.0-${secret}\r\n`), reasons: invalid },
    'no status': { act: says('HTTP/1.1 OK\r\n\r\n'), reasons: invalid },
    'a status of four digits': { act: says('HTTP/1.1 2000 OK\r\n\r\n'), reasons: invalid },
    'a status of nought': {
      act: says('HTTP/1.1 000 OK\r\ncontent-length: 0\r\n\r\n'),
      reasons: [...either, ...late],
    },
    'a status line of a megabyte': {
      act: (socket) => pump(socket, 'HTTP/1.1 200 ', 'O'.repeat(65_536), 16),
      reasons: [...invalid, ...late],
    },
    'a body without a type': {
      act: says(`HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n${secret}`),
      reasons: invalid,
    },
    'two types': {
      act: says(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n{}`,
      ),
      reasons: either,
      closes: false,
    },
    'a redirect to itself': {
      act: says(`HTTP/1.1 307 Again\r\nlocation: /${secret}\r\ncontent-length: 0\r\n\r\n`),
      reasons: ['upstream-refused'],
      closes: false,
    },
    'a redirect elsewhere': {
      act: says(`HTTP/1.1 302 There\r\nlocation: http://${secret}.example/\r\ncontent-length: 0\r\n\r\n`),
      reasons: ['upstream-refused'],
      closes: false,
    },
  },
};

const surfaces: readonly Surface[] = ['tools/call', 'tools/list', 'initialize', 'GET'];
const all = Object.entries(groups).flatMap(([group, disguises]) =>
  Object.entries(disguises).map(([name, disguise]) => ({ group, name, key: `${group}: ${name}`, disguise })),
);

describe('hostile answers', () => {
  let server: HostileServer;
  /** For what ends by itself or by a size: a busy machine must not make a time end it. And for what only a time ends. */
  let patient: TestGateway;
  let hasty: TestGateway;
  const upstreamOf = new Map<string, string>();

  beforeAll(async () => {
    server = await startHostileServer(
      Object.fromEntries(all.map(({ key, disguise }) => [key, disguise.act])),
    );
    const upstreams: [Record<string, string>, Record<string, string>] = [{}, {}];
    for (const [index, { key, disguise }] of all.entries()) {
      for (const [at, surface] of surfaces.entries()) {
        upstreams[endsByTime(disguise) ? 1 : 0][`u${index}-${at}`] = server.url(key, surface);
        upstreamOf.set(`${surface} ${key}`, `u${index}-${at}`);
      }
    }
    const start = (own: Record<string, string>, timeouts: Record<string, string>) =>
      startTestGateway({
        door: 'plain',
        upstreams: own,
        http: {
          timeouts,
          limits: { resultBytes: '256KiB', eventBytes: '256KiB', callBytes: '4MiB', streamBytes: '4MiB' },
        },
        config: { limits: { frames: { framesPerExchange: 1000, framesPerStream: 1000 } } },
      });
    patient = await start(upstreams[0], {});
    hasty = await start(upstreams[1], { headers: '600ms', idle: '600ms', total: '1s', stream: '1s' });
  }, 60_000);

  afterAll(async () => {
    await patient.close();
    await hasty.close();
    await expectNoConnections([server.server]);
    await server.close();
  });

  for (const [group, disguises] of Object.entries(groups)) {
    fault(
      group,
      'the caller gets one clean error under its own id, the socket is discarded, memory stays bounded, and the next ' +
        'call is answered',
      async (measured) => {
        const before = process.memoryUsage().rss;
        let peak = before;
        const watch = setInterval(() => {
          peak = Math.max(peak, process.memoryUsage().rss);
        }, 20);
        const names = Object.keys(disguises);
        const outcomes: string[] = [];
        // Some at a time: each waits for time-outs of its own.
        for (let start = 0; start < names.length; start += 8) {
          const found = await Promise.all(
            names.slice(start, start + 8).map((name) => judge(`${group}: ${name}`, disguises[name]!)),
          );
          outcomes.push(...found.flat());
        }
        clearInterval(watch);
        expect(outcomes).toEqual([]);
        expect(peak - before).toBeLessThan(512 * 1024 * 1024);
        measured(
          `${names.length} disguises at ${surfaces.length} places in two eras; memory rose by ${Math.round((peak - before) / 2 ** 20)} MiB`,
        );
      },
      120_000,
    );
  }

  /** @returns what was wrong, in words */
  async function judge(key: string, disguise: Disguise): Promise<readonly string[]> {
    const { reasons, closes = true } = disguise;
    const gate = endsByTime(disguise) ? hasty : patient;
    const wrong: string[] = [];
    const url = (surface: Surface): string => gate.url(upstreamOf.get(`${surface} ${key}`)!);
    const ask = async (surface: Surface, era: 'modern' | 'legacy'): Promise<void> => {
      const id = `mine-${era}`;
      const answer = await request(url(surface), surface, era, id);
      const fault = faultOf(answer, surface === 'GET' ? undefined : id, reasons);
      if (fault !== undefined) wrong.push(`${key} at ${surface} (${era}): ${fault}`);
    };
    await Promise.all([
      ask('tools/call', 'modern'),
      ask('tools/call', 'legacy'),
      ask('tools/list', 'modern'),
      ask('tools/list', 'legacy'),
      ask('initialize', 'legacy'),
      ask('GET', 'legacy'),
    ]);
    if (closes) {
      for (const surface of surfaces) {
        const sockets = server.sockets(key, surface);
        const patience = Date.now() + 10_000;
        while (sockets.some((socket) => !socket.closed) && Date.now() < patience) await pause(10);
        const open = sockets.filter((socket) => !socket.closed).length;
        if (open > 0) wrong.push(`${key} at ${surface}: ${open} of ${sockets.length} sockets are still open`);
      }
    }
    // The same upstream, asked for something that it answers honestly.
    let next = await request(url('tools/call'), 'tools/list', 'legacy', 'next');
    // Where times are short, a busy machine may need a second one: the others of this row are still at it.
    for (let attempt = 0; attempt < 10 && gate === hasty && !next.body.includes('"echo"'); attempt += 1) {
      await pause(200);
      next = await request(url('tools/call'), 'tools/list', 'legacy', 'next');
    }
    if (next.status !== 200 || !next.body.includes('"echo"')) {
      wrong.push(`${key}: the next call got ${next.status} ${next.body.toString().slice(0, 200)}`);
    }
    return wrong;
  }

  const shown = [
    'answers without end: one line',
    'answers under other ids: the id as text, JSON',
    'answers that are two: a result and an error',
    'compressed answers: a bomb in gzip',
    'lengths that lie: too short',
    'heads that are none: HTTP/0.9',
  ];
  fault(
    'hostile answers to official clients',
    'clients of both generations show one error with the code of the gateway, and can go on',
    async (measured) => {
      for (const key of shown) {
        const url = patient.url(upstreamOf.get(`tools/call ${key}`)!);
        const clients = await Promise.all([
          connectClient(url, undefined, 'modern'),
          connectClient(url, undefined, 'legacy'),
          connectClient1(url, undefined),
        ]);
        for (const { client, close } of clients) {
          await expect(client.callTool({ name: 'echo', arguments: {} }), key).rejects.toMatchObject({
            code: expect.toBeOneOf([5020, 5040, 4130]),
          });
          expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo']);
          await close();
        }
      }
      measured(`${shown.length} disguises, three clients each`);
    },
  );
});

const endsByTime = ({ reasons }: Disguise): boolean => reasons.includes('upstream-timeout');

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function request(url: string, surface: Surface, era: 'modern' | 'legacy', id: string): Promise<RawAnswer> {
  if (surface === 'GET') return send('GET', url, { headers: { accept: 'text/event-stream' } });
  if (surface === 'initialize') return post(url, initialize('2025-11-25', id));
  const params = surface === 'tools/call' ? { name: 'echo', arguments: {} } : {};
  if (era === 'legacy') return post(url, legacy(surface, params, id));
  const { headers, body } = modern(surface, params, { id });
  return post(url, body, { headers });
}

/** What is wrong with an answer that must be one clean error; undefined where nothing is. */
function faultOf(
  answer: RawAnswer,
  id: string | undefined,
  reasons: readonly ErrorCode[],
): string | undefined {
  const text = answer.body.toString();
  if (text.includes(secret)) return 'it shows what the server said';
  if (/127\.0\.0\.1|node:|at \/|undici|UND_ERR|ECONN/.test(text))
    return `it tells of the inside: ${text.slice(0, 200)}`;
  const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true;
  const messages = isStream
    ? new SseEvents().push(answer.body).flatMap(({ data }) => (data === '' ? [] : [data]))
    : text === ''
      ? []
      : [text];
  const finals = messages
    .map((message) => JSON.parse(message) as Record<string, unknown>)
    .filter((message) => !('method' in message));
  if (id === undefined) {
    // The standalone stream answers nothing: what went wrong ends it, or is an HTTP error.
    if (isStream && finals.length > 0) return 'an answer on a stream that answers nothing';
    return undefined;
  }
  if (finals.length !== 1) return `${finals.length} answers: ${text.slice(0, 200)}`;
  const [{ id: given, error }] = finals as [
    { id?: unknown; error?: { code: number; message: string; data?: { reason?: ErrorCode } } },
  ];
  if (given !== id) return `the id ${String(given)}`;
  const reason = error?.data?.reason;
  if (reason === undefined || !reasons.includes(reason))
    return `${reason ?? text.slice(0, 200)} for ${reasons.join(' or ')}`;
  return error?.message === errorTable[reason].text && error.code === errorTable[reason].rpc
    ? undefined
    : 'another text or code';
}
