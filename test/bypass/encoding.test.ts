import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, it } from 'vitest';
import { post } from '../support/raw-client.ts';
import { type Arena, bend, expectHonestCall, legacyCall, startArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await startArena();
});

const call = legacyCall('allowed');
const text = JSON.stringify(call.body);
const bytes = Buffer.from(text);
const utf16be = (value: string) => Buffer.from(value, 'utf16le').swap16();
const utf32le = Buffer.concat([...text].map((c) => Buffer.from([c.charCodeAt(0), 0, 0, 0])));
/** The name with other bytes in the place of one letter. */
const named = (...raw: readonly number[]) => {
  const [before, after] = text.split('"allowed"') as [string, string];
  return Buffer.concat([Buffer.from(`${before}"`), Buffer.from(raw), Buffer.from(`"${after}`)]);
};

describe('bytes that are not plain UTF-8', () => {
  const refusal = { status: 400, rpc: -32700, reason: 'json-encoding' } as const;
  const disguises: readonly (readonly [string, Buffer])[] = [
    ['UTF-8 byte order mark', Buffer.from(`\ufeff${text}`)],
    ['two byte order marks', Buffer.from(`\ufeff\ufeff${text}`)],
    ['UTF-16 LE with mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE with mark', utf16be(`\ufeff${text}`)],
    ['overlong slash', named(0x61, 0xc0, 0xaf)],
    ['overlong NUL', named(0x61, 0xc0, 0x80)],
    ['overlong quote', named(0x61, 0xc0, 0xa2, 0x62)],
    ['three-byte overlong', named(0xe0, 0x80, 0xaf)],
    ['four-byte overlong', named(0xf0, 0x80, 0x80, 0xaf)],
    ['surrogate as CESU-8', named(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80)],
    ['half a surrogate', named(0xed, 0xa0, 0x80)],
    ['beyond U+10FFFF', named(0xf4, 0x90, 0x80, 0x80)],
    ['five-byte form', named(0xf8, 0x88, 0x80, 0x80, 0x80)],
    ['truncated sequence', named(0x61, 0xe2, 0x82)],
    ['lone continuation byte', named(0x61, 0x80)],
    ['Latin-1 letter', named(0xe9)],
    ['byte FF', named(0xff)],
  ];
  for (const [name, body] of disguises) {
    it(`should NOT bypass: ${name}`, () => arena.refused(() => post(arena.url, body), refusal));
  }
});

describe('text that some parsers take for JSON', () => {
  const refusal = { status: 400, rpc: -32700, reason: 'json-invalid' } as const;
  const disguises: readonly (readonly [string, string | Buffer])[] = [
    ['UTF-16 LE without mark', Buffer.from(text, 'utf16le')],
    ['UTF-16 BE without mark', utf16be(text)],
    ['UTF-32 LE', utf32le],
    ['a second message behind it', `${text}${text}`],
    ['a second message on its own line', `${text}\n${text}`],
    ['a NUL behind it', `${text}\0`],
    ['a NUL before it', `\0${text}`],
    ['a vertical tab before it', `\v${text}`],
    ['a no-break space before it', `\u00a0${text}`],
    ['a line separator before it', `\u2028${text}`],
    ['a comment', bend(call, '"id"', '/* x */"id"')],
    ['a line comment', bend(call, '"id"', '// x\n"id"')],
    ['a trailing comma', bend(call, '"allowed"', '"allowed",')],
    ['single quotes', text.replaceAll('"', "'")],
    ['bare keys', bend(call, '"id"', 'id')],
    ['an event stream', `data: ${text}\n\n`],
    ['a JSON text sequence', `\x1e${text}\n`],
    ['an anti-hijacking prefix', `)]}',\n${text}`],
    ['NaN', bend(call, '"id":1', '"id":NaN')],
    ['Infinity', bend(call, '"id":1', '"id":Infinity')],
    ['a hexadecimal number', bend(call, '"id":1', '"id":0x1')],
    ['a leading zero', bend(call, '"id":1', '"id":01')],
    ['a leading plus', bend(call, '"id":1', '"id":+1')],
    ['a number without digits behind its point', bend(call, '"id":1', '"id":1.')],
    ['a raw line end in a string', bend(call, '"allowed"', '"allowed\n"')],
    ['a raw tab in a string', bend(call, '"allowed"', '"allowed\t"')],
    ['a raw NUL in a string', bend(call, '"allowed"', '"allowed\0"')],
    ['an unknown escape', bend(call, '"allowed"', '"\\allowed"')],
    ['an octal escape', bend(call, '"allowed"', '"\\101llowed"')],
    ['a hexadecimal escape', bend(call, '"allowed"', '"\\x61llowed"')],
    ['a braced escape', bend(call, '"allowed"', '"\\u{61}llowed"')],
    ['an escape cut short', bend(call, '"allowed"', '"\\u61"')],
    ['a missing brace', text.slice(0, -1)],
    ['a brace too many', `${text}}`],
    ['True as Python writes it', bend(call, '"id":1', '"id":True')],
  ];
  for (const [name, body] of disguises) {
    it(`should NOT bypass: ${name}`, () => arena.refused(() => post(arena.url, body), refusal));
  }

  for (const half of ['\\ud83d', '\\ude00', '\\ud83d\\u0061', '\\ude00\\ud83d', '\\uDBFF', 'a\\ud800b']) {
    it(`should NOT bypass: half a surrogate pair ${half}`, () =>
      arena.refused(() => post(arena.url, bend(call, '"allowed"', `"${half}"`)), {
        status: 400,
        rpc: -32700,
        reason: 'json-lone-surrogate',
      }));
  }

  for (const body of ['', Buffer.alloc(0)]) {
    it('should NOT bypass: no body at all', () =>
      arena.refused(() => post(arena.url, body), { status: 400, rpc: -32700, reason: 'body-empty' }));
  }

  for (const [name, body] of [
    ['a string', JSON.stringify(text)],
    ['a number', '1'],
    ['null', 'null'],
    ['true', 'true'],
    ['an empty object', '{}'],
    ['an object in an object', `{"message":${text}}`],
  ] as const) {
    it(`should NOT bypass: ${name} in the place of a message`, () =>
      arena.refused(() => post(arena.url, body), { status: 400, rpc: -32600, reason: 'frame-invalid' }));
  }
});

describe('a body that is declared as something else', () => {
  const refusal = { status: 415, rpc: -32600, reason: 'media-type' } as const;
  const types = [
    'text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=utf-16le',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-7',
    'application/json; charset=shift_jis',
    'application/json; charset=cp037',
    "application/json; charset='utf-8'",
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-16; charset=utf-8',
    'application/json; charset',
    'application/json; boundary=x',
    'application/json, text/plain',
    'text/plain, application/json',
    'application/json-patch+json',
    'application/vnd.api+json',
    'application/jsonrpc',
    'application/json-rpc',
    'application/jsonrequest',
    'application/json5',
    'application/ld+json',
    'application/x-ndjson',
    'application/json-seq',
    'application/problem+json',
    'text/json',
    'application/javascript',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/event-stream',
    'application/xml',
    'application/cbor',
    'application/octet-stream',
    '*/*',
    'application/*',
    'application/json/',
    'application /json',
    'json',
    ';application/json',
    'application/json;x="application/json"',
    '"application/json"',
  ];
  for (const type of types) {
    it(`should NOT bypass: content type ${type}`, () =>
      arena.refused(() => post(arena.url, text, { headers: { 'content-type': type } }), refusal));
  }

  const encodings: readonly (readonly [string, Buffer])[] = [
    ['gzip', gzipSync(bytes)],
    ['x-gzip', gzipSync(bytes)],
    ['deflate', deflateSync(bytes)],
    ['deflate', deflateRawSync(bytes)],
    ['br', brotliCompressSync(bytes)],
    ['zstd', zstdCompressSync(bytes)],
    ['compress', bytes],
    ['identity', bytes],
    ['identity, gzip', gzipSync(bytes)],
    ['gzip, gzip', gzipSync(gzipSync(bytes))],
    ['GZIP', gzipSync(bytes)],
    ['aws-chunked', bytes],
    ['', bytes],
  ];
  for (const [encoding, body] of encodings) {
    it(`should NOT bypass: content encoding ${JSON.stringify(encoding)}`, () =>
      arena.refused(() => post(arena.url, body, { headers: { 'content-encoding': encoding } }), refusal));
  }

  it('should NOT bypass: compressed, but not declared so', () =>
    arena.refused(() => post(arena.url, gzipSync(bytes)), {
      status: 400,
      rpc: -32700,
      reason: 'json-encoding',
    }));

  for (const headers of [
    ['content-type', 'application/json', 'content-type', 'text/plain'],
    ['content-type', 'text/plain', 'content-type', 'application/json'],
    ['content-type', 'application/json', 'Content-Type', 'application/json'],
    ['content-encoding', 'identity', 'content-encoding', 'gzip', 'content-type', 'application/json'],
  ]) {
    it(`should NOT bypass: repeated headers ${headers.join(' ')}`, () =>
      arena.refused(() => post(arena.url, text, { headers }), {
        ...(headers.includes('gzip') ? refusal : { status: 400, rpc: -32600, reason: 'header-invalid' }),
      }));
  }
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
