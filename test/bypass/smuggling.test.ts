import { beforeAll, describe, expect, it } from 'vitest';
import type { ClientTls } from '../support/gateway.ts';
import { sendBytes } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, startArena, until } from './arena.ts';

let arena: Arena;
let tls: ClientTls;
let host: string;
beforeAll(async () => {
  arena = await startArena({ door: 'mtls' });
  tls = await arena.gate.as('alice');
  host = new URL(arena.url).host;
});

const honest = JSON.stringify(legacyCall('allowed').body);
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

/** The head of a POST, without its last line end. */
function head(lines: readonly string[], start = 'POST /w/mcp HTTP/1.1'): string {
  return `${[start, `Host: ${host}`, 'Content-Type: application/json', 'Accept: application/json, text/event-stream', ...lines].join('\r\n')}\r\n`;
}

/** A whole request that must never be read as one: it is allowed, so that the recorder would see it. */
const smuggled = () => `${head([`Content-Length: ${honest.length}`])}\r\n${honest}`;

const TE = 'Transfer-Encoding';
const length = `Content-Length: ${honest.length}`;

/** Each hides the smuggled request in what one reader takes for a body and another for a request. */
const disguises: readonly (readonly [string, () => string])[] = [
  ['CL and TE', () => `${head(['Content-Length: 5', `${TE}: chunked`])}\r\n0\r\n\r\n${smuggled()}`],
  ['TE and CL', () => `${head([`${TE}: chunked`, 'Content-Length: 5'])}\r\n0\r\n\r\n${smuggled()}`],
  ['CL of nothing and TE', () => `${head(['Content-Length: 0', `${TE}: chunked`])}\r\n${chunked(honest)}`],
  ['TE with a blank before the colon', () => `${head([`${TE} : chunked`])}\r\n${chunked(honest)}`],
  ['TE with a tab before the colon', () => `${head([`${TE}\t: chunked`])}\r\n${chunked(honest)}`],
  ['TE with a vertical tab', () => `${head([`${TE}: \vchunked`])}\r\n${chunked(honest)}`],
  ['TE with a form feed', () => `${head([`${TE}: chunked\f`])}\r\n${chunked(honest)}`],
  ['TE with a NUL', () => `${head([`${TE}: chunked\0`])}\r\n${chunked(honest)}`],
  ['TE with a no-break space', () => `${head([`${TE}: chunked\xa0`])}\r\n${chunked(honest)}`],
  ['TE xchunked', () => `${head([`${TE}: xchunked`, length])}\r\n${honest}`],
  ['TE chunked-false', () => `${head([`${TE}: chunked-false`])}\r\n${chunked(honest)}`],
  ['TE identity', () => `${head([`${TE}: identity`, length])}\r\n${honest}`],
  ['TE identity, chunked', () => `${head([`${TE}: identity, chunked`])}\r\n${chunked(honest)}`],
  ['TE chunked, identity', () => `${head([`${TE}: chunked, identity`])}\r\n${chunked(honest)}`],
  ['TE gzip, chunked', () => `${head([`${TE}: gzip, chunked`])}\r\n${chunked(honest)}`],
  ['TE twice', () => `${head([`${TE}: chunked`, `${TE}: chunked`])}\r\n${chunked(honest)}`],
  ['TE twice, the second unknown', () => `${head([`${TE}: chunked`, `${TE}: x`])}\r\n${chunked(honest)}`],
  ['TE twice, the first unknown', () => `${head([`${TE}: x`, `${TE}: chunked`])}\r\n${chunked(honest)}`],
  ['TE with a comma before', () => `${head([`${TE}: ,chunked`])}\r\n${chunked(honest)}`],
  ['TE with a comma behind', () => `${head([`${TE}: chunked,`])}\r\n${chunked(honest)}`],
  ['TE with a parameter', () => `${head([`${TE}: chunked;q=1`])}\r\n${chunked(honest)}`],
  ['TE in quotes', () => `${head([`${TE}: "chunked"`])}\r\n${chunked(honest)}`],
  ['TE empty', () => `${head([`${TE}:`, length])}\r\n${honest}`],
  ['TE on a folded line', () => `${head([`${TE}:`, ' chunked'])}\r\n${chunked(honest)}`],
  ['TE behind a bare LF', () => `${head([`X: y\n${TE}: chunked`])}\r\n${chunked(honest)}`],
  ['TE behind a bare CR', () => `${head([`X: y\r${TE}: chunked`, length])}\r\n${honest}`],
  ['two equal CL', () => `${head([length, length])}\r\n${honest}`],
  ['two different CL', () => `${head([length, 'Content-Length: 0'])}\r\n${honest}`],
  ['two different CL, the other way', () => `${head(['Content-Length: 0', length])}\r\n${smuggled()}`],
  ['a list of CL', () => `${head([`${length}, ${honest.length}`])}\r\n${honest}`],
  ['CL with a plus', () => `${head([length.replace(': ', ': +')])}\r\n${honest}`],
  ['CL with a minus', () => `${head([length.replace(': ', ': -')])}\r\n${honest}`],
  [
    'CL with a blank inside',
    () => `${head([`Content-Length: ${String(honest.length).split('').join(' ')}`])}\r\n${honest}`,
  ],
  ['CL in hexadecimal', () => `${head([`Content-Length: 0x${honest.length.toString(16)}`])}\r\n${honest}`],
  ['CL with an exponent', () => `${head(['Content-Length: 1e2'])}\r\n${honest}`],
  ['CL with a fraction', () => `${head([`${length}.0`])}\r\n${honest}`],
  ['CL empty', () => `${head(['Content-Length:'])}\r\n${smuggled()}`],
  ['CL beyond 64 bits', () => `${head(['Content-Length: 18446744073709551617'])}\r\n${smuggled()}`],
  ['CL with a blank before the colon', () => `${head([length.replace(':', ' :')])}\r\n${honest}`],
  ['CL with a NUL', () => `${head([`${length}\0`])}\r\n${honest}`],
  ['CL on a folded line', () => `${head(['Content-Length:', ` ${honest.length}`])}\r\n${honest}`],
  ['a folded header', () => `${head(['X: y', ` Content-Length: 0`, length])}\r\n${honest}`],
  [
    'a first header with a blank before it',
    () => `POST /w/mcp HTTP/1.1\r\n Host: ${host}\r\n${length}\r\n\r\n${honest}`,
  ],
  ['a header line without a colon', () => `${head(['X', length])}\r\n${honest}`],
  ['a header without a name', () => `${head([': y', length])}\r\n${honest}`],
  ['a NUL in a name', () => `${head(['X\0Y: y', length])}\r\n${honest}`],
  ['a NUL in a value', () => `${head(['X: y\0z', length])}\r\n${honest}`],
  ['a DEL in a name', () => `${head(['X\x7f: y', length])}\r\n${honest}`],
  ['a letter beyond ASCII in a name', () => `${head(['X\xe9: y', length])}\r\n${honest}`],
  ['bare LF for every line end', () => `${head([length])}\r\n`.replaceAll('\r\n', '\n') + honest],
  ['bare CR for every line end', () => `${head([length])}\r\n`.replaceAll('\r\n', '\r') + honest],
  ['a bare LF at the end of the head', () => `${head([length]).slice(0, -2)}\n\n${honest}`],
  ['CR CR LF', () => `${head([`X: y\r`, length])}\r\n${honest}`],
  ['a chunk size with a plus', () => `${head([`${TE}: chunked`])}\r\n+${chunked(honest)}`],
  ['a chunk size with a minus', () => `${head([`${TE}: chunked`])}\r\n-${chunked(honest)}`],
  ['a chunk size with 0x', () => `${head([`${TE}: chunked`])}\r\n0x${chunked(honest)}`],
  ['a chunk size with a blank before', () => `${head([`${TE}: chunked`])}\r\n ${chunked(honest)}`],
  [
    'a chunk size with a blank behind',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', ' \r\n')}`,
  ],
  [
    'a chunk size with an underscore',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', '_0\r\n')}`,
  ],
  ['a chunk size beyond 64 bits', () => `${head([`${TE}: chunked`])}\r\n1000000000000000${chunked(honest)}`],
  ['a chunk size that wraps', () => `${head([`${TE}: chunked`])}\r\nfffffffffffffffff\r\n${honest}`],
  ['an empty chunk size', () => `${head([`${TE}: chunked`])}\r\n\r\n${chunked(honest)}`],
  [
    'a chunk size ended by LF',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', '\n')}`,
  ],
  [
    'a chunk size ended by CR',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', '\rX')}`,
  ],
  [
    'a chunk that is longer than it says',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace(honest, `${honest}X`)}`,
  ],
  [
    'a chunk that ends with LF',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace(`${honest}\r\n`, `${honest}\n`)}`,
  ],
  [
    'a chunk extension with a bare LF',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', ';a\nb\r\n')}`,
  ],
  [
    'a chunk extension with a bare CR',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', ';a\rb\r\n')}`,
  ],
  [
    'a chunk extension with a NUL',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', ';a\0b\r\n')}`,
  ],
  [
    'an endless chunk extension',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', `;${'a'.repeat(40_000)}\r\n`)}`,
  ],
  [
    'trailers that name the call',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).slice(0, -2)}Mcp-Name: forbidden\r\n\r\n`,
  ],
  [
    'trailers that frame',
    () => `${head([`${TE}: chunked`])}\r\n${chunked(honest).slice(0, -2)}Content-Length: 0\r\n\r\n`,
  ],
  [
    'trailers that identify',
    () =>
      `${head([`${TE}: chunked`, 'Trailer: Authorization'])}\r\n${chunked(honest).slice(0, -2)}Authorization: x\r\n\r\n`,
  ],
  ['HTTP/1.0', () => `${head([length], 'POST /w/mcp HTTP/1.0')}\r\n${honest}`],
  ['HTTP/1.0 with TE', () => `${head([`${TE}: chunked`], 'POST /w/mcp HTTP/1.0')}\r\n${chunked(honest)}`],
  ['HTTP/0.9', () => 'GET /w/mcp\r\n\r\n'],
  ['HTTP/1.2', () => `${head([length], 'POST /w/mcp HTTP/1.2')}\r\n${honest}`],
  ['HTTP/2.0 in text', () => `${head([length], 'POST /w/mcp HTTP/2.0')}\r\n${honest}`],
  ['HTTP/3', () => `${head([length], 'POST /w/mcp HTTP/3.0')}\r\n${honest}`],
  ['http/1.1 in lower case', () => `${head([length], 'POST /w/mcp http/1.1')}\r\n${honest}`],
  ['HTTP/1.1 with a blank behind', () => `${head([length], 'POST /w/mcp HTTP/1.1 ')}\r\n${honest}`],
  ['a tab in the request line', () => `${head([length], 'POST\t/w/mcp HTTP/1.1')}\r\n${honest}`],
  ['a blank in the target', () => `${head([length], 'POST /w/mcp x HTTP/1.1')}\r\n${honest}`],
  ['a NUL in the target', () => `${head([length], 'POST /w/mcp\0 HTTP/1.1')}\r\n${honest}`],
  ['a letter beyond ASCII in the target', () => `${head([length], 'POST /w/mcp\xe9 HTTP/1.1')}\r\n${honest}`],
  [
    'an upgrade to WebSocket',
    () => `${head([length, 'Connection: Upgrade', 'Upgrade: websocket'])}\r\n${honest}`,
  ],
  ['an upgrade to TLS', () => `${head([length, 'Connection: Upgrade', 'Upgrade: TLS/1.2'])}\r\n${honest}`],
  [
    'an upgrade to something made up',
    () => `${head([length, 'Connection: Upgrade', 'Upgrade: mcp/1, h2c'])}\r\n${honest}`,
  ],
  ['CONNECT', () => `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n${smuggled()}`],
  ['an expectation that nobody knows', () => `${head([length, 'Expect: 200-ok'])}\r\n${honest}`],
  ['two Hosts', () => `${head([length, `Host: ${host}`])}\r\n${honest}`],
  ['no Host', () => `${head([length]).replace(/Host: [^\r]*\r\n/, '')}\r\n${honest}`],
  ['the preface of HTTP/2 on HTTP/1.1', () => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled()}`],
];

describe('a request whose borders two readers see in different places', () => {
  for (const [name, make] of disguises) {
    it(`should NOT bypass: ${name}`, async () => {
      const before = arena.gate.audit().length;
      const seen = arena.seen().length;
      const { text, closed } = await sendBytes(arena.url, [make()], { tls, quiet: 3_000 });
      expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
      // One answer, then the end: what stands behind was never read as a request.
      expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
      expect(text).toContain('"jsonrpc":"2.0"');
      expect(text).not.toContain('"id"');
      expect(closed).toBe(true);
      await until(() => arena.gate.audit().length > before, 'a line in the audit');
      const lines = arena.gate.audit().slice(before);
      expect(lines).toMatchObject([{ event: 'refusal', status: Number(text.slice(9, 12)) }]);
      expect(arena.seen()).toHaveLength(seen);
    });
  }
});

describe('a second request in the pipeline', () => {
  const whole = (body: string) => `${head([`Content-Length: ${body.length}`])}\r\n${body}`;
  const forbidden = JSON.stringify({ ...legacyCall('forbidden').body, id: 2 });

  it('is judged as the first was', async () => {
    const { value, seen, audit } = await arena.observe(() =>
      sendBytes(arena.url, [whole(honest) + whole(forbidden) + whole(honest)], { tls, quiet: 700 }),
    );
    expect(value.text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(value.text.match(/"code":4030/g)).toHaveLength(1);
    expect(seen.map(({ messages }) => messages[0]!.params!['name'])).toEqual(['allowed', 'allowed']);
    expect(audit.filter(({ code }) => code === 'denied')).toHaveLength(1);
  });

  it('behind chunks with an extension is judged by itself', async () => {
    const first = `${head([`${TE}: chunked`])}\r\n${chunked(honest).replace('\r\n', ';a=b\r\n')}`;
    const { value, seen } = await arena.observe(() =>
      sendBytes(arena.url, [first + whole(forbidden)], { tls, quiet: 700 }),
    );
    expect(value.text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(seen).toHaveLength(1);
  });

  it('never reaches the upstream as bytes: one message, one length, one request', async () => {
    const { seen } = await arena.observe(() =>
      sendBytes(arena.url, [`${head([`${TE}: chunked`, 'Connection: close'])}\r\n${chunked(honest)}`], {
        tls,
        quiet: 700,
      }),
    );
    expect(seen).toHaveLength(1);
    expect(seen[0]!.headers['transfer-encoding']).toBeUndefined();
    expect(seen[0]!.headers['content-length']).toBe(String(seen[0]!.body.length));
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena, tls));
