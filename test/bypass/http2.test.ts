import { connect, type Http2Session, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ClientTls } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { type RawAnswer, sendHttp2 } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, type Refusal, startArena, until } from './arena.ts';

let arena: Arena;
let tls: ClientTls;
let authority: string;
beforeAll(async () => {
  arena = await startArena({ door: 'mtls', also: ['x'] });
  tls = await arena.gate.as('alice');
  authority = new URL(arena.url).host;
});

const text = JSON.stringify(legacyCall('allowed').body);
const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

function over2(
  headers: Readonly<Record<string, string>>,
  verb = 'POST',
  body: string | undefined = text,
): Promise<RawAnswer> {
  return sendHttp2(verb, arena.url, {
    headers: { ...usual, ...headers },
    tls,
    ...(body === undefined ? {} : { body }),
  });
}

/** All that a legacy call without a session takes along. */
const transportHeaders = [
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'host',
];

const unrouted = { status: 404, rpc: -32601, reason: 'route-unknown' } as const;
const invalid = { status: 400, rpc: -32600, reason: 'header-invalid' } as const;
const host = { status: 403, rpc: -32600, reason: 'host-refused' } as const;
const verb = { status: 405, rpc: -32601, reason: 'http-method' } as const;

describe('over HTTP/2', () => {
  const disguises: readonly (readonly [string, Readonly<Record<string, string>>, Refusal])[] = [
    ['a path with a fragment', { ':path': '/w/mcp#x' }, unrouted],
    ['a path with dots', { ':path': '/x/../w/mcp' }, unrouted],
    ['a path with encoded dots', { ':path': '/x/%2e%2e/w/mcp' }, unrouted],
    ['an encoded path', { ':path': '/%77/mcp' }, unrouted],
    ['a path with an encoded slash', { ':path': '/w%2fmcp' }, unrouted],
    ['a path with two slashes', { ':path': '//w/mcp' }, unrouted],
    ['a path with a slash behind', { ':path': '/w/mcp/' }, unrouted],
    ['a path with a parameter', { ':path': '/w/mcp;x' }, unrouted],
    ['a path in another case', { ':path': '/W/mcp' }, unrouted],
    ['another authority', { ':authority': 'evil.example' }, host],
    ['an authority with a dot behind', { ':authority': 'localhost.' }, host],
    ['a list of authorities', { ':authority': 'localhost,evil.example' }, host],
    ['a host beside another authority', { ':authority': 'localhost', host: 'evil.example' }, invalid],
    [
      'a host beside another authority, the other way',
      { ':authority': 'evil.example', host: 'localhost' },
      invalid,
    ],
    ['a host in another case', { ':authority': 'localhost', host: 'LOCALHOST' }, invalid],
    ['an origin', { origin: 'https://evil.example' }, { status: 403, rpc: -32600, reason: 'origin-refused' }],
    ['PUT', { ':method': 'PUT' }, verb],
    ['TRACE', { ':method': 'TRACE' }, verb],
    ['a verb in lower case', { ':method': 'post' }, verb],
    ['a verb with more in it', { ':method': 'POST_' }, verb],
    [
      'another content type',
      { 'content-type': 'text/plain' },
      { status: 415, rpc: -32600, reason: 'media-type' },
    ],
    [
      'a content encoding',
      { 'content-encoding': 'gzip' },
      { status: 415, rpc: -32600, reason: 'media-type' },
    ],
    ['no accept', { accept: '*/*' }, { status: 406, rpc: -32600, reason: 'not-acceptable' }],
    [
      'another name than the body',
      { ...modern('tools/call', { name: 'allowed' }).headers, 'mcp-name': 'forbidden' },
      { status: 400, rpc: -32602, reason: 'meta-missing', id: 1 },
    ],
  ];
  for (const [name, headers, refusal] of disguises) {
    it(`should NOT bypass: ${name}`, () => arena.refused(() => over2(headers), refusal));
  }
  it('should NOT bypass: a forbidden call', () =>
    arena.refused(() => over2({}, 'POST', JSON.stringify(legacyCall('forbidden').body)), {
      status: 200,
      rpc: 4030,
      reason: 'denied',
      id: 1,
    }));
  it('an allowed one passes, as HTTP/1.1', async () => {
    const { value, seen } = await arena.observe(() =>
      over2({ ':path': '/w/mcp?x=1', cookie: 'a=b', te: 'trailers' }),
    );
    expect(value.status).toBe(200);
    expect(seen.map(({ path }) => path)).toEqual(['/mcp']);
    expect(Object.keys(seen[0]!.headers).sort()).toEqual(transportHeaders);
  });
});

/** One header field as HPACK literal, never indexed, no Huffman: any bytes in name and value (RFC 7541, 6.2.3). */
function field(name: string, value: string): Buffer {
  const [n, v] = [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')];
  if (n.length > 126 || v.length > 126) throw new Error('too long for one length byte');
  return Buffer.concat([Buffer.of(0x10, n.length), n, Buffer.of(v.length), v]);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const [DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION] = [0, 1, 3, 4, 7, 9] as const;
const END_STREAM = 1;
const END_HEADERS = 4;

/** Writes frames of its own making and gives back the types of those that came, with what they carried. */
function rawHttp2(
  frames: readonly Buffer[],
): Promise<{ readonly types: readonly number[]; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(arena.url);
    const socket = connectTls({ host: hostname, port: Number(port), ...tls, ALPNProtocols: ['h2'] });
    const chunks: Buffer[] = [];
    const done = () => {
      socket.destroy();
      const bytes = Buffer.concat(chunks);
      const types: number[] = [];
      for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]!);
      resolve({ types, bytes });
    };
    socket.once('error', reject);
    socket.once('close', done);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      // An answer, a reset or a farewell: what comes later changes nothing.
      const bytes = Buffer.concat(chunks);
      for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
        const type = bytes[at + 3]!;
        const ended = (type === DATA || type === HEADERS) && (bytes[at + 4]! & END_STREAM) === 1;
        if (ended || type === RST_STREAM || type === GOAWAY) setTimeout(done, 20);
      }
    });
    socket.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(SETTINGS, 0, 0, Buffer.alloc(0)),
        ...frames,
      ]),
    );
  });
}

type Fields = readonly (readonly [string, string])[];

function request(fields: Fields, body = text): readonly Buffer[] {
  return [
    frame(HEADERS, END_HEADERS, 1, Buffer.concat(fields.map(([name, value]) => field(name, value)))),
    frame(DATA, END_STREAM, 1, Buffer.from(body)),
  ];
}

describe('frames of HTTP/2 that no library would write', () => {
  const pseudo = (): Fields => [
    [':method', 'POST'],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', '/w/mcp'],
  ];
  const rest: Fields = Object.entries(usual);
  const odd: readonly (readonly [string, string, string])[] = [
    ['a path that is a URL', ':path', 'https://localhost/w/mcp'],
    ['a path with a blank', ':path', '/w/mcp HTTP/1.1'],
    ['a path that is a star', ':path', '*'],
    ['an authority with userinfo', ':authority', 'x@localhost'],
    ['an authority with a path', ':authority', 'localhost/w'],
    ['an empty authority', ':authority', ''],
  ];
  const disguises: readonly (readonly [string, () => Fields])[] = [
    ['two paths', () => [...pseudo(), [':path', '/x/mcp'], ...rest]],
    ['two methods', () => [[':method', 'GET'], ...pseudo(), ...rest]],
    ['two authorities', () => [...pseudo(), [':authority', 'evil.example'], ...rest]],
    ['two schemes', () => [...pseudo(), [':scheme', 'http'], ...rest]],
    ['a pseudo-header behind an ordinary one', () => [...rest, ...pseudo()]],
    ['an unknown pseudo-header', () => [...pseudo(), [':user', 'root'], ...rest]],
    ['a status in a request', () => [...pseudo(), [':status', '200'], ...rest]],
    ['a protocol without CONNECT', () => [...pseudo(), [':protocol', 'websocket'], ...rest]],
    ['no path', () => [...pseudo().filter(([name]) => name !== ':path'), ...rest]],
    ['no method', () => [...pseudo().filter(([name]) => name !== ':method'), ...rest]],
    ['no scheme', () => [...pseudo().filter(([name]) => name !== ':scheme'), ...rest]],
    ['an empty path', () => [...pseudo().filter(([name]) => name !== ':path'), [':path', ''], ...rest]],
    [
      'a path in upper case',
      () => [...pseudo().filter(([name]) => name !== ':path'), [':PATH', '/w/mcp'], ...rest],
    ],
    ...odd.map(([name, key, value]): [string, () => Fields] => [
      name,
      () => [...pseudo().filter(([own]) => own !== key), [key, value], ...rest],
    ]),
    ['transfer-encoding', () => [...pseudo(), ...rest, ['transfer-encoding', 'chunked']]],
    ['connection', () => [...pseudo(), ...rest, ['connection', 'keep-alive']]],
    ['connection that names a header', () => [...pseudo(), ...rest, ['connection', 'mcp-session-id']]],
    ['keep-alive', () => [...pseudo(), ...rest, ['keep-alive', 'timeout=5']]],
    ['proxy-connection', () => [...pseudo(), ...rest, ['proxy-connection', 'x']]],
    ['upgrade', () => [...pseudo(), ...rest, ['upgrade', 'h2c']]],
    ['te other than trailers', () => [...pseudo(), ...rest, ['te', 'gzip']]],
    ['a name in upper case', () => [...pseudo(), ...rest, ['Mcp-Method', 'tools/call']]],
    [
      'a path with a line end',
      () => [...pseudo().filter(([name]) => name !== ':path'), [':path', '/w/mcp\r\nx: y'], ...rest],
    ],
    [
      'an authority with a line end',
      () => [
        ...pseudo().filter(([name]) => name !== ':authority'),
        [':authority', 'localhost\r\nx: y'],
        ...rest,
      ],
    ],
    ['a method with a blank', () => [[':method', 'POST /x'], ...pseudo().slice(1), ...rest]],
    ['a content-length that is too short', () => [...pseudo(), ...rest, ['content-length', '1']]],
    ['a content-length that is too long', () => [...pseudo(), ...rest, ['content-length', '9999']]],
    [
      'two content-lengths',
      () => [...pseudo(), ...rest, ['content-length', String(text.length)], ['content-length', '1']],
    ],
    ['a content-length with a sign', () => [...pseudo(), ...rest, ['content-length', `+${text.length}`]]],
    [
      'two hosts',
      () => [
        ...pseudo().filter(([name]) => name !== ':authority'),
        ...rest,
        ['host', authority],
        ['host', 'evil.example'],
      ],
    ],
    ['two content types', () => [...pseudo(), ...rest, ['content-type', 'text/plain']]],
    ['two names', () => [...pseudo(), ...rest, ['mcp-name', 'allowed'], ['mcp-name', 'forbidden']]],
    ['two sessions', () => [...pseudo(), ...rest, ['mcp-session-id', 'a'], ['mcp-session-id', 'b']]],
    ['two credentials', () => [...pseudo(), ...rest, ['authorization', 'a'], ['authorization', 'b']]],
  ];
  for (const [name, make] of disguises) {
    it(`should NOT bypass: ${name}`, async () => {
      const seen = arena.seen().length;
      const { types, bytes } = await rawHttp2(request(make()));
      // Either nghttp2 resets the stream or ends the connection, or the gateway answers with an error of its own.
      const answered = bytes.includes('"error":{"code":');
      expect([
        ...types.filter((type) => type === RST_STREAM || type === GOAWAY),
        ...(answered ? ['error'] : []),
      ]).not.toEqual([]);
      expect(bytes.includes('"result"')).toBe(false);
      expect(arena.seen()).toHaveLength(seen);
    });
  }

  /** Node has nghttp2 leave such fields out, and tells nobody: the request is what it would be without them. */
  const leftOut: readonly (readonly [string, () => Fields])[] = [
    ['a name with a blank', () => [...pseudo(), ...rest, ['mcp method', 'x']]],
    ['a name with a colon', () => [...pseudo(), ...rest, ['mcp-method: x', 'y']]],
    ['a name with a line end', () => [...pseudo(), ...rest, ['x\r\nmcp-method', 'y']]],
    ['a name with a NUL', () => [...pseudo(), ...rest, ['x\0y', 'z']]],
    ['an empty name', () => [...pseudo(), ...rest, ['', 'x']]],
    ['a value with a line end', () => [...pseudo(), ...rest, ['x', 'y\r\nmcp-method: tools/call']]],
    ['a value with a LF', () => [...pseudo(), ...rest, ['mcp-name', 'a\nb']]],
    ['a value with a CR', () => [...pseudo(), ...rest, ['mcp-name', 'a\rb']]],
    ['a value with a NUL', () => [...pseudo(), ...rest, ['mcp-name', 'a\0b']]],
  ];
  for (const [name, make] of leftOut) {
    it(`a field that HTTP/2 does not allow reaches nobody: ${name}`, async () => {
      const { value, seen } = await arena.observe(() => rawHttp2(request(make())));
      expect(value.bytes.includes('"result"')).toBe(true);
      expect(Object.keys(seen[0]!.headers).sort()).toEqual(transportHeaders);
    });
  }
  it('should NOT bypass: a forbidden call beside such a field', async () => {
    const body = JSON.stringify(legacyCall('forbidden').body);
    for (const [, make] of leftOut) {
      const { value, seen } = await arena.observe(() => rawHttp2(request(make(), body)));
      expect(value.bytes.includes('"code":4030')).toBe(true);
      expect(seen).toEqual([]);
    }
  });

  it('an honest request of the same making passes, also in pieces', async () => {
    const fields = [...pseudo(), ...rest];
    expect((await rawHttp2(request(fields))).bytes.includes('"result"')).toBe(true);
    const block = Buffer.concat(fields.map(([name, value]) => field(name, value)));
    const pieces = [
      frame(HEADERS, 0, 1, block.subarray(0, 10)),
      frame(CONTINUATION, END_HEADERS, 1, block.subarray(10)),
      ...[...text].map((letter) => frame(DATA, 0, 1, Buffer.from(letter))),
      frame(DATA, END_STREAM, 1, Buffer.alloc(0)),
    ];
    expect((await rawHttp2(pieces)).bytes.includes('"result"')).toBe(true);
  });

  it('trailers are refused, as on HTTP/1.1', async () => {
    const before = arena.gate.audit().length;
    const seen = arena.seen().length;
    const block = Buffer.concat([...pseudo(), ...rest].map(([name, value]) => field(name, value)));
    const { bytes } = await rawHttp2([
      frame(HEADERS, END_HEADERS, 1, block),
      frame(DATA, 0, 1, Buffer.from(text)),
      frame(HEADERS, END_HEADERS | END_STREAM, 1, field('mcp-name', 'forbidden')),
    ]);
    expect(bytes.includes('"reason":"header-invalid"')).toBe(true);
    await until(() => arena.gate.audit().length > before, 'a line in the audit');
    expect(arena.seen()).toHaveLength(seen);
  });
});

describe('extended CONNECT', () => {
  it('should NOT bypass: no tunnel is opened', async () => {
    const session: Http2Session & { request?: unknown } = connect(new URL(arena.url).origin, tls);
    const statusOf = (headers: OutgoingHttpHeaders) =>
      new Promise<number | string>((resolve) => {
        const stream = (session as ReturnType<typeof connect>).request(headers);
        stream.once('response', (head) => resolve(Number(head[':status'])));
        stream.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        stream.end();
      });
    const seen = arena.seen().length;
    const status = await statusOf({ ':method': 'CONNECT', ':authority': authority });
    expect(typeof status === 'string' || status >= 400).toBe(true);
    expect(arena.seen()).toHaveLength(seen);
    session.destroy();
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena, tls));
