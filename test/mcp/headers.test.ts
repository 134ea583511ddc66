import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import type { RequestFrame } from '../../src/mcp/frame.ts';
import {
  checkMirroredHeaders,
  mirroredArgumentsOf,
  mirrorHeaders,
  type ProtocolHeaders,
  readProtocolHeaders,
} from '../../src/mcp/headers.ts';
import { methodRow } from '../../src/mcp/methods.ts';
import { decodeHeaderValue, encodeHeaderValue } from '../../src/mcp/sentinel.ts';

const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

function readOrCode(...raw: string[]): ProtocolHeaders | string {
  const read = readProtocolHeaders(raw);
  return read.ok ? read.value : read.failure.code;
}

describe('reading headers', () => {
  it('reads each, in any case, without surrounding white space', () => {
    const read = readOrCode(
      'MCP-Protocol-Version',
      ' 2026-07-28\t',
      'mcp-method',
      'tools/call',
      'Mcp-Name',
      base64('größe'),
      'MCP-SESSION-ID',
      'abc',
      'Last-Event-ID',
      '7',
      'Mcp-Param-Region',
      ' eu ',
      'mcp-param-N',
      base64(' x\n'),
      'Accept',
      'application/json',
      'accept',
      'text/event-stream',
      'X-Other',
      '1',
      'x-other',
      '2',
    );
    expect(read).toEqual({
      version: '2026-07-28',
      method: 'tools/call',
      name: 'größe',
      sessionId: 'abc',
      lastEventId: '7',
      params: new Map([
        ['region', 'eu'],
        ['n', ' x\n'],
      ]),
      accept: 'application/json, text/event-stream',
    });
    expect(readOrCode()).toEqual({ params: new Map() });
  });

  it.each([
    'host',
    'authorization',
    'dpop',
    'content-type',
    'content-length',
    'content-encoding',
    'origin',
    'last-event-id',
    'mcp-session-id',
    'mcp-protocol-version',
    'mcp-method',
    'mcp-name',
    'mcp-param-x',
    'mcp-anything',
    'x-api-key',
  ])('refuses a repeated %s, whatever its case', (name) => {
    expect(readOrCode(name, 'a', 'x', 'y', name.toUpperCase(), 'a')).toBe('header-invalid');
  });

  it.each([
    'é',
    'a\x00b',
    'a\nb',
    '\x7f',
    '=?base64?!!!?=',
    '=?base64?YQ?=',
    '=?base64?YR==?=',
    '=?base64?YQ==YQ==?=',
    '=?base64?Y Q==?=',
    '=?base64?_-8=?=',
    '=?base64?/w==?=',
    '=?base64?7aCA?=',
  ])('refuses the value %j in a mirrored header', (value) => {
    expect(readOrCode('mcp-name', value)).toBe('header-mismatch');
    expect(readOrCode('mcp-param-x', value)).toBe('header-mismatch');
  });

  it('takes markers of other case and unfinished ones as plain text', () => {
    for (const value of ['=?BASE64?YQ==?=', '=?base64?YQ==', 'x=?base64?YQ==?=', '=?base64?=']) {
      expect(readOrCode('mcp-name', value)).toMatchObject({ name: value });
    }
  });

  it('refuses other malformed ones', () => {
    expect(readOrCode('mcp-session-id', 'a b')).toBe('header-invalid');
    expect(readOrCode('mcp-session-id', '')).toBe('header-invalid');
    expect(readOrCode('mcp-protocol-version', '2026 07')).toBe('header-mismatch');
    expect(readOrCode('mcp-method', 'tools/call\u00e9')).toBe('header-mismatch');
    expect(readOrCode('mcp-param-', 'x')).toBe('header-mismatch');
    expect(readOrCode(...Array.from({ length: 65 }, (_, n) => [`mcp-param-${n}`, 'x']).flat())).toBe(
      'header-invalid',
    );
  });
});

describe('header values', () => {
  it('survive encoding and decoding, whatever they hold', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom(
        '',
        ' ',
        ' a',
        'a ',
        'a b',
        base64('x'),
        '=?base64?',
        '=?base64??=',
        '?=',
        '=?base64?=',
        'ü',
        '\n',
        '\t',
      ),
    );
    fc.assert(
      fc.property(value, (text) => {
        const encoded = encodeHeaderValue(text);
        expect(encoded).toMatch(/^[\x20-\x7e\t]*$/);
        expect(decodeHeaderValue(encoded)).toBe(text);
      }),
    );
  });

  it('stay plain where they can', () => {
    expect(encodeHeaderValue('us west-1')).toBe('us west-1');
    expect(encodeHeaderValue(' x')).toBe(base64(' x'));
    expect(encodeHeaderValue(base64('x'))).toBe(base64(base64('x')));
  });
});

const version = '2026-07-28';
const meta = { 'io.modelcontextprotocol/protocolVersion': version };

function request(method: string, params: object): RequestFrame {
  return requestFrom(JSON.stringify({ jsonrpc: '2.0', id: 9, method, params: { _meta: meta, ...params } }));
}

function requestFrom(text: string): RequestFrame {
  const decoded = decodeFrame(Buffer.from(text), defaultDecodeLimits, 'toUpstream');
  if (!decoded.ok || decoded.value.kind !== 'request') throw new Error('no request');
  return decoded.value;
}

const call = (args: object): RequestFrame => request('tools/call', { name: 'query', arguments: args });
const mirrored = new Map([
  ['region', ['region']],
  ['deep', ['where', 'n']],
]);

function check(
  frame: RequestFrame,
  sent: Record<string, string>,
  args?: ReadonlyMap<string, readonly string[]>,
): string {
  const headers = readProtocolHeaders(Object.entries(sent).flat());
  if (!headers.ok) return headers.failure.code;
  const row = methodRow(frame.method, version, 'toUpstream', 'request')!;
  return checkMirroredHeaders(frame, headers.value, row, args)?.code ?? 'agrees';
}

describe('mirrored headers', () => {
  const good = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'query' };

  it('agree', () => {
    expect(check(call({}), good)).toBe('agrees');
    expect(check(call({}), { ...good, 'mcp-name': base64('query') })).toBe('agrees');
    expect(check(call({}), { ...good, 'mcp-name': '  query\t' })).toBe('agrees');
    expect(check(call({}), { ...good, 'mcp-param-unknown': 'x' }, mirrored)).toBe('agrees');
  });

  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])('%s must be there', (name) => {
    const { [name]: _, ...rest } = good as Record<string, string>;
    expect(check(call({}), rest)).toBe('header-mismatch');
  });

  it.each([
    ['mcp-protocol-version', '2025-11-25'],
    ['mcp-method', 'Tools/call'],
    ['mcp-method', 'tools/list'],
    ['mcp-name', 'Query'],
    ['mcp-name', 'query2'],
    ['mcp-name', ''],
    ['mcp-name', base64('drop')],
    ['mcp-name', '=?BASE64?cXVlcnk=?='],
  ])('%s: %s differs', (name, value) => {
    expect(check(call({}), { ...good, [name]: value })).toBe('header-mismatch');
  });

  it('mirrors the URI and the task id where those are the target', () => {
    const read = { ...good, 'mcp-method': 'resources/read', 'mcp-name': 'file:///a' };
    expect(check(request('resources/read', { uri: 'file:///a' }), read)).toBe('agrees');
    expect(check(request('resources/read', { uri: 'file:///b', name: 'file:///a' }), read)).toBe(
      'header-mismatch',
    );
    const task = { ...good, 'mcp-method': 'tasks/cancel', 'mcp-name': 't1' };
    expect(check(request('tasks/cancel', { taskId: 't1' }), task)).toBe('agrees');
    expect(check(request('tasks/cancel', { taskId: 't2' }), task)).toBe('header-mismatch');
    expect(check(request('tasks/cancel', {}), task)).toBe('header-mismatch');
  });

  const arguments_: readonly (readonly [object, Record<string, string>, string])[] = [
    [{ region: 'eu' }, { 'mcp-param-region': 'eu' }, 'agrees'],
    [{ region: 'größe' }, { 'mcp-param-region': base64('größe') }, 'agrees'],
    [{ region: 'eu' }, {}, 'header-mismatch'],
    [{ region: 'eu' }, { 'mcp-param-region': 'EU' }, 'header-mismatch'],
    [{ region: '42' }, { 'mcp-param-region': '42.0' }, 'header-mismatch'],
    [{ region: null }, {}, 'agrees'],
    [{ region: null }, { 'mcp-param-region': 'null' }, 'header-mismatch'],
    [{}, { 'mcp-param-region': 'eu' }, 'header-mismatch'],
    [{ region: true }, { 'mcp-param-region': 'true' }, 'agrees'],
    [{ region: true }, { 'mcp-param-region': 'True' }, 'header-mismatch'],
    [{ region: 1.5 }, { 'mcp-param-region': '1.5' }, 'header-mismatch'],
    [{ region: ['eu'] }, { 'mcp-param-region': 'eu' }, 'header-mismatch'],
    [{ region: {} }, { 'mcp-param-region': '[object Object]' }, 'header-mismatch'],
    [{ where: { n: 42 } }, { 'mcp-param-deep': '42' }, 'agrees'],
    [{ where: { n: 42 } }, { 'mcp-param-deep': '42.0' }, 'agrees'],
    [{ where: { n: -0 } }, { 'mcp-param-deep': '0' }, 'agrees'],
    [{ where: { n: 42 } }, { 'mcp-param-deep': '42.1' }, 'header-mismatch'],
    [{ where: { n: 42 } }, { 'mcp-param-deep': '0x2a' }, 'header-mismatch'],
    [{ where: { n: 42 } }, { 'mcp-param-deep': '4.2e1' }, 'header-mismatch'],
    [{ where: { n: 9007199254740991 } }, { 'mcp-param-deep': '9007199254740991.4' }, 'header-mismatch'],
    [{ 'where.n': 42 }, {}, 'agrees'],
  ];
  it.each(arguments_)('arguments %j with %j: %s', (args, headers, outcome) => {
    expect(check(call(args), { ...good, ...headers }, mirrored)).toBe(outcome);
  });

  it('compares integers beyond 2^53 by their digits', () => {
    const frame = requestFrom(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","_meta":${JSON.stringify(meta)},"arguments":{"region":9007199254740993}}}`,
    );
    expect(check(frame, { ...good, 'mcp-param-region': '9007199254740993' }, mirrored)).toBe('agrees');
    expect(check(frame, { ...good, 'mcp-param-region': '9007199254740992' }, mirrored)).toBe(
      'header-mismatch',
    );
    expect(check(frame, { ...good, 'mcp-param-region': '9007199254740992.0' }, mirrored)).toBe(
      'header-mismatch',
    );
  });

  it('does not find arguments on Object.prototype', () => {
    expect(check(call({}), good, new Map([['x', ['constructor', 'name']]]))).toBe('agrees');
  });

  it('gives the id of the refused request', () => {
    const row = methodRow('tools/call', version, 'toUpstream', 'request')!;
    expect(checkMirroredHeaders(call({}), { params: new Map() }, row, undefined)).toMatchObject({ id: 9 });
  });
});

describe('headers for the upstream', () => {
  const row = methodRow('tools/call', version, 'toUpstream', 'request')!;
  it('are recomputed from the body; only unknown ones are taken over', () => {
    const sent = new Map([
      ['region', 'forged'],
      ['other', 'kept é'],
    ]);
    const frame = call({ region: 'süd', where: { n: 42 } });
    expect(mirrorHeaders(frame, row, mirrored, sent)).toEqual([
      'mcp-name',
      'query',
      'mcp-param-region',
      base64('süd'),
      'mcp-param-deep',
      '42',
      'mcp-param-other',
      base64('kept é'),
    ]);
  });

  it('pass their own check', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 10 }),
        fc.oneof(fc.maxSafeInteger(), fc.boolean(), fc.string(), fc.constant(null)),
        (region, n) => {
          const frame = call({ region, where: { n } });
          const read = readProtocolHeaders([
            ...mirrorHeaders(frame, row, mirrored, new Map()),
            'mcp-protocol-version',
            version,
            'mcp-method',
            'tools/call',
          ]);
          expect(read.ok && checkMirroredHeaders(frame, read.value, row, mirrored)).toBe(undefined);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('x-mcp-header annotations', () => {
  const annotated = (header: unknown, type: unknown = 'string'): object => ({ type, 'x-mcp-header': header });
  const of = (schema: object) => mirroredArgumentsOf(schema as never);

  it('are found at any depth of properties', () => {
    const schema = {
      type: 'object',
      properties: {
        region: annotated('Region'),
        where: {
          type: 'object',
          properties: { n: annotated('Deep', 'integer'), flag: annotated('F', 'boolean') },
        },
        properties: { type: 'object', properties: { x: { type: 'string' } } },
        plain: { type: 'string', default: { 'x-mcp-header': 'data, no annotation' } },
      },
    };
    expect(of(schema)).toEqual(
      new Map([
        ['region', ['region']],
        ['deep', ['where', 'n']],
        ['f', ['where', 'flag']],
      ]),
    );
    expect(of({ type: 'object' })).toEqual(new Map());
    expect(mirroredArgumentsOf(null)).toEqual(new Map());
  });

  it.each([
    ['on the root', annotated('X')],
    ['an empty name', { properties: { a: annotated('') } }],
    ['a name that is longer than any honest one', { properties: { a: annotated('x'.repeat(65)) } }],
    ['a path that is longer than any honest one', { properties: { ['a'.repeat(257)]: annotated('X') } }],
    ['a name that is no token', { properties: { a: annotated('a b') } }],
    ['a name with a line end', { properties: { a: annotated('a\r\nx') } }],
    ['a non-ASCII name', { properties: { a: annotated('é') } }],
    ['a name that is no string', { properties: { a: annotated(true) } }],
    ['one name twice', { properties: { a: annotated('X'), b: annotated('x') } }],
    ['a number', { properties: { a: annotated('X', 'number') } }],
    ['an object', { properties: { a: annotated('X', 'object') } }],
    ['two types', { properties: { a: annotated('X', ['string', 'null']) } }],
    ['no type', { properties: { a: { 'x-mcp-header': 'X' } } }],
    ['in items', { properties: { a: { type: 'array', items: annotated('X') } } }],
    ['in properties of items', { properties: { a: { items: { properties: { b: annotated('X') } } } } }],
    ['in anyOf', { anyOf: [{ properties: { a: annotated('X') } }] }],
    ['in allOf of a property', { properties: { a: { allOf: [annotated('X')] } } }],
    ['in $defs', { $defs: { default: annotated('X') } }],
    ['in additionalProperties', { additionalProperties: annotated('X') }],
    ['in patternProperties', { patternProperties: { '^a': annotated('X') } }],
    ['in else', { if: {}, else: { properties: { a: annotated('X') } } }],
    ['under an unknown keyword', { 'x-vendor': { deeper: annotated('X') } }],
    [
      'too many',
      { properties: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`p${n}`, annotated(`H${n}`)])) },
    ],
  ])('break the schema: %s', (_name, schema) => {
    expect(of(schema)).toBe(undefined);
  });
});
