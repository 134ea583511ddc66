import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { type DecodeLimits, decodeBody, decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import type { Direction } from '../../src/mcp/frame.ts';
import { isExactNumber, type JsonObject, own } from '../../src/values/json.ts';

function decode(
  body: string | Buffer,
  direction: Direction = 'toUpstream',
  limits: Partial<DecodeLimits> = {},
) {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  return decodeFrame(bytes, { ...defaultDecodeLimits, ...limits }, direction);
}

function codeOf(
  body: string | Buffer,
  direction?: Direction,
  limits?: Partial<DecodeLimits>,
): ErrorCode | 'accepted' {
  const decoded = decode(body, direction, limits);
  return decoded.ok ? 'accepted' : decoded.failure.code;
}

const call = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
const args = (text: string): string => call(`{"name":"query","arguments":${text}}`);

describe('frames that are accepted', () => {
  it('tells the four kinds apart', () => {
    const kinds = [
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","method":"notifications/initialized","params":{}}',
      '{"jsonrpc":"2.0","id":"a","result":{}}',
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no","data":[1]}}',
    ].map((text) => {
      const decoded = decode(text, 'toClient');
      return decoded.ok ? decoded.value.kind : decoded.failure;
    });
    expect(kinds).toEqual(['request', 'notification', 'result', 'error']);
  });

  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    ' \n{ "method" : "ping" , "id" :\t-12 , "jsonrpc":"2.0" }\r\n',
    '{"jsonrpc":"2.0","\\u0069d":"x\\u0041","method":"ping"}',
    '{"params":{"id":5,"x":{"id":6}},"jsonrpc":"2.0","id":"ü","method":"ping"}',
  ])('finds the text of the id in %j', (text) => {
    const decoded = decode(text);
    if (!decoded.ok || decoded.value.kind !== 'request') throw new Error('not a request');
    const { bytes, id, idSpan } = decoded.value;
    expect(JSON.parse(bytes.toString('utf8', ...idSpan))).toBe(id);
    expect(JSON.parse(text).id).toBe(id);
  });

  it('keeps an integer beyond 2^53 exact and leaves every other number alone', () => {
    const decoded = decode(
      args('{"big":9007199254740993,"safe":9007199254740991,"real":0.1,"minus":-0,"text":"1"}'),
    );
    if (!decoded.ok || decoded.value.kind !== 'request') throw new Error('not a request');
    const given = own(decoded.value.params!, 'arguments') as JsonObject;
    expect(isExactNumber(given['big']) && given['big'].rawJSON).toBe('9007199254740993');
    expect({ ...given, big: 0 }).toEqual({ big: 0, safe: 9007199254740991, real: 0.1, minus: -0, text: '1' });
  });

  it('does not take an object with a rawJSON key for an exact number', () => {
    const decoded = decode(args('{"fake":{"rawJSON":"1"},"big":9007199254740993}'));
    if (!decoded.ok || decoded.value.kind !== 'request') throw new Error('not a request');
    const given = own(decoded.value.params!, 'arguments') as JsonObject;
    expect(isExactNumber(given['fake'])).toBe(false);
  });

  it('answers an unknown key with undefined, whatever Object.prototype has', () => {
    const decoded = decode(args('{}'));
    if (!decoded.ok) throw new Error('refused');
    for (const key of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      expect(own(decoded.value.value, key)).toBeUndefined();
    }
  });

  it('leaves free content alone: case variants and look-alikes of protocol keys in arguments and results', () => {
    expect(codeOf(args('{"Name":1,"name":2,"METHOD":3,"param\u017f":4,"constructor":5,"prototype":6}'))).toBe(
      'accepted',
    );
    const content = '{"structuredContent":{"Name":1,"name":2},"content":[{"Type":"x","type":"text"}]}';
    expect(codeOf(`{"jsonrpc":"2.0","id":1,"result":${content}}`, 'toClient')).toBe('accepted');
  });

  it('accepts a null id in an error of a server, and only there', () => {
    const error = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}';
    const decoded = decode(error, 'toClient');
    expect(decoded.ok && decoded.value.kind === 'error' && decoded.value.id).toBe(undefined);
    expect(codeOf(error, 'toUpstream')).toBe('frame-id-invalid');
    expect(codeOf('{"jsonrpc":"2.0","id":null,"result":{}}', 'toClient')).toBe('frame-id-invalid');
    expect(codeOf('{"jsonrpc":"2.0","id":null,"method":"ping"}', 'toClient')).toBe('frame-id-invalid');
  });
});

describe('bytes with more than one reading are refused', () => {
  const bom = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(args('{}'))]);
  const broken = (bytes: number[]): Buffer =>
    Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), Buffer.from(bytes), Buffer.from('"}')]);
  const cases: readonly (readonly [string, string | Buffer, ErrorCode])[] = [
    ['nothing', '', 'body-empty'],
    ['white space', ' \n', 'json-invalid'],
    ['a byte order mark', bom, 'json-encoding'],
    ['a stray continuation byte', broken([0x80]), 'json-encoding'],
    ['an overlong slash', broken([0xc0, 0xaf]), 'json-encoding'],
    ['a surrogate in UTF-8', broken([0xed, 0xa0, 0x80]), 'json-encoding'],
    ['a cut sequence', broken([0xe2, 0x82]), 'json-encoding'],
    ['UTF-16', Buffer.from(args('{}'), 'utf16le'), 'json-invalid'],
    ['trailing text', `${args('{}')}x`, 'json-invalid'],
    ['a second document', `${args('{}')}\n${args('{}')}`, 'json-invalid'],
    ['a trailing comma', args('{"a":1,}'), 'json-invalid'],
    ['a comment', args('{/**/}'), 'json-invalid'],
    ['single quotes', args("{'a':1}"), 'json-invalid'],
    ['a bare key', args('{a:1}'), 'json-invalid'],
    ['NaN', args('{"a":NaN}'), 'json-invalid'],
    ['Infinity', args('{"a":-Infinity}'), 'json-invalid'],
    ['a leading zero', args('{"a":01}'), 'json-invalid'],
    ['hexadecimal', args('{"a":0x1}'), 'json-invalid'],
    ['a raw newline in a string', args('{"a":"\n"}'), 'json-invalid'],
    ['a raw NUL in a string', args('{"a":"\0"}'), 'json-invalid'],
    ['a bad escape', args('{"a":"\\x41"}'), 'json-invalid'],
    ['half an escape', args('{"a":"\\u00"}'), 'json-invalid'],
    ['no end', args('{"a":[1').slice(0, -2), 'json-invalid'],
    ['a U+00A0 as white space', `\u00a0${args('{}')}`, 'json-invalid'],
    ['a wrong bracket', args('[1}'), 'json-invalid'],
  ];
  it.each(cases)('%s', (_name, body, code) => {
    expect(codeOf(body)).toBe(code);
  });
});

describe('repeated keys are refused at any depth and in any spelling', () => {
  const spellings = ['name', 'n\\u0061me', '\\u006eame', '\\u006E\\u0061\\u006D\\u0065', 'nam\\u0065'];
  for (const first of spellings) {
    for (const second of spellings) {
      it(`"${first}" and "${second}"`, () => {
        const places = [
          call(`{"${first}":"a","${second}":"b"}`),
          args(`{"${first}":"a","x":1,"${second}":"b"}`),
          args(`{"deep":[[{"${first}":"a","in":{"name":1},"${second}":"b"}]]}`),
        ];
        for (const place of places) expect(codeOf(place)).toBe('json-repeated-key');
      });
    }
  }

  it.each(['jsonrpc', 'id', 'method', 'params'])('"%s" in the envelope', (key) => {
    const text = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}';
    expect(codeOf(text.replace('{"', `{"${key}":1,"`))).toBe('json-repeated-key');
  });

  it('the empty key, non-ASCII keys and keys with quotes', () => {
    for (const key of ['', 'schlüssel', '日本', '😀', '\\"', '\\\\', '\\/', 'a\\nb']) {
      expect(codeOf(args(`{"${key}":1,"b":2,"${key}":3}`))).toBe('json-repeated-key');
    }
    expect(codeOf(args('{"schl\\u00fcssel":1,"schlüssel":3}'))).toBe('json-repeated-key');
    expect(codeOf(args('{"\\ud83d\\ude00":1,"😀":3}'))).toBe('json-repeated-key');
    expect(codeOf(args('{"/":1,"\\/":3}'))).toBe('json-repeated-key');
  });

  it.each([10, 15, 16, 17, 18, 100, 500])('the first, middle and last of %i keys', (size) => {
    const keys = Array.from({ length: size }, (_, index) => `"key${index}":${index}`);
    expect(codeOf(args(`{${keys.join(',')}}`))).toBe('accepted');
    for (const index of [0, Math.floor(size / 2), size - 1]) {
      expect(codeOf(args(`{${keys.join(',')},"key${index}":0}`))).toBe('json-repeated-key');
      expect(codeOf(args(`{${keys.join(',')},"\\u006bey${index}":0}`))).toBe('json-repeated-key');
      const escapedFirst = keys.map((key) => key.replace('"k', '"\\u006b'));
      expect(codeOf(args(`{${escapedFirst.join(',')},"key${index}":0}`))).toBe('json-repeated-key');
    }
  });

  it('an object after an object: keys of a sibling are no repetition', () => {
    const many = `{${Array.from({ length: 40 }, (_, index) => `"k${index}":{"a":1}`).join(',')}}`;
    expect(codeOf(args(`{"x":${many},"y":${many},"z":[${many},${many}]}`))).toBe('accepted');
  });

  it('keys whose hashes collide are still told apart', () => {
    // Under a polynomial hash with base 31, "Aa" and "BB" are one number.
    expect(codeOf(args('{"Aa":1,"BB":2,"AaAa":3,"BBBB":4,"AaBB":5,"BBAa":6}'))).toBe('accepted');
    expect(codeOf(args('{"Aa":1,"BB":2,"Aa":3}'))).toBe('json-repeated-key');
  });
});

describe('__proto__ is refused anywhere', () => {
  const spellings = ['__proto__', '\\u005f_proto__', '__pr\\u006fto__', '\\u005F\\u005Fproto\\u005f\\u005f'];
  it.each(spellings)('%s', (key) => {
    expect(codeOf(`{"jsonrpc":"2.0","id":1,"method":"ping","${key}":{}}`)).toBe('json-forbidden-key');
    expect(codeOf(call(`{"name":"x","${key}":{}}`))).toBe('json-forbidden-key');
    expect(codeOf(args(`{"a":[{"b":{"${key}":1}}]}`))).toBe('json-forbidden-key');
    expect(codeOf(`{"jsonrpc":"2.0","id":1,"result":{"x":{"${key}":1}}}`, 'toClient')).toBe(
      'json-forbidden-key',
    );
  });
  it('but not as a value', () => {
    expect(codeOf(args('{"a":"__proto__","_proto_":1,"__proto_":2}'))).toBe('accepted');
  });
});

describe('halves of surrogate pairs are refused', () => {
  const lone = ['\\ud800', '\\udc00', '\\uDBFF', '\\uDFFF', 'a\\ud83dz', '\\ud83d\\ud83d', '\\ude00\\ud83d'];
  it.each([...lone, '\\ud83d\\n', '\\ud83d\\\\ude00', '\\ud83d\\u0041'])('%s', (text) => {
    expect(codeOf(args(`{"a":"${text}"}`))).toBe('json-lone-surrogate');
    expect(codeOf(args(`{"${text}":1}`))).toBe('json-lone-surrogate');
    expect(codeOf(args(`{"a":"${'x'.repeat(300)}${text}"}`))).toBe('json-lone-surrogate');
    expect(codeOf(`{"jsonrpc":"2.0","id":"${text}","method":"ping"}`)).toBe('json-lone-surrogate');
  });
  it.each(['\\ud83d\\ude00', '\\\\ud800', '\\\\\\\\udc00', '\ud83d\ude00'])('whole: %s', (text) => {
    expect(codeOf(args(`{"a":"${text}"}`))).toBe('accepted');
    expect(codeOf(args(`{"a":"${'x'.repeat(300)}${text}"}`))).toBe('accepted');
  });
});

describe('numbers', () => {
  it.each(['1e400', '-1e400', '1e99999', '9'.repeat(400), `1${'0'.repeat(2000)}`, `0.${'1'.repeat(2000)}`])(
    'refuses %s',
    (number) => {
      expect(codeOf(args(`{"a":${number}}`))).toBe('json-number');
    },
  );
  it.each(['1e308', '-0', '-0.0', '1.0', '1E+2', '5e-324', '0', '1e-400', '123456789012345678901234567890'])(
    'accepts %s',
    (number) => {
      expect(codeOf(args(`{"a":${number}}`))).toBe('accepted');
    },
  );
});

describe('limits', () => {
  it('refuses what is over a limit and accepts what reaches it', () => {
    const nested = (depth: number): string => args('['.repeat(depth - 2) + ']'.repeat(depth - 2));
    expect(codeOf(nested(64), 'toUpstream', { maxDepth: 64 })).toBe('accepted');
    expect(codeOf(nested(65), 'toUpstream', { maxDepth: 64 })).toBe('json-too-deep');
    expect(codeOf('['.repeat(100_000))).toBe('json-too-deep');
    expect(codeOf('{"a":'.repeat(100_000))).toBe('json-too-deep');

    // Envelope, jsonrpc, id, method, params, name, arguments, array: 8 values around the elements.
    const items = (count: number): string =>
      args(`{"a":[${Array.from({ length: count }, () => 0).join(',')}]}`);
    expect(codeOf(items(10), 'toUpstream', { maxNodes: 18 })).toBe('accepted');
    expect(codeOf(items(11), 'toUpstream', { maxNodes: 18 })).toBe('json-too-many-nodes');
    expect(codeOf(items(10), 'toUpstream', { maxArrayLength: 10 })).toBe('accepted');
    expect(codeOf(items(11), 'toUpstream', { maxArrayLength: 10 })).toBe('json-array-too-long');

    const text = (length: number): string => args(`{"a":"${'x'.repeat(length)}"}`);
    expect(codeOf(text(100), 'toUpstream', { maxStringBytes: 100 })).toBe('accepted');
    expect(codeOf(text(101), 'toUpstream', { maxStringBytes: 100 })).toBe('json-string-too-long');
    expect(codeOf(args(`{"${'k'.repeat(101)}":1}`), 'toUpstream', { maxStringBytes: 100 })).toBe(
      'json-string-too-long',
    );

    const keys = (count: number): string =>
      args(`{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`);
    expect(codeOf(keys(50), 'toUpstream', { maxKeysPerObject: 50 })).toBe('accepted');
    expect(codeOf(keys(51), 'toUpstream', { maxKeysPerObject: 50 })).toBe('json-too-many-keys');
  });

  it('does not follow an operator beyond a depth that JSON.stringify survives', () => {
    const deep = args('['.repeat(2000) + ']'.repeat(2000));
    expect(codeOf(deep, 'toUpstream', { maxDepth: 1_000_000 })).toBe('json-too-deep');
  });
});

describe('the envelope is exact', () => {
  const cases: readonly (readonly [string, ErrorCode])[] = [
    ['{}', 'frame-invalid'],
    ['1', 'frame-invalid'],
    ['"x"', 'frame-invalid'],
    ['null', 'frame-invalid'],
    ['[]', 'batch-not-allowed'],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 'frame-invalid'],
    ['{"jsonrpc":2.0,"id":1,"method":"ping"}', 'frame-invalid'],
    ['{"id":1,"method":"ping"}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","error":{"code":1,"message":""}}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"params":{}}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":1}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":""}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":null}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"pi\\u0000ng"}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping\\n"}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":9007199254740993}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[]}}', 'frame-params-invalid'],
    ['{"jsonrpc":"2.0","id":1,"result":[]}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"result":null}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","result":{}}', 'frame-id-invalid'],
    ['{"jsonrpc":"2.0","id":1,"error":"x"}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x"}}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"x"}}', 'frame-invalid'],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":1}}', 'frame-invalid'],
  ];
  it.each(cases)('%s', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it.each([
    'null',
    'true',
    '1.5',
    '1.0',
    '777.0',
    '1e2',
    '10e1',
    '-0',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '[]',
    '[1]',
    '{}',
    '{"id":1}',
    `"${'x'.repeat(129)}"`,
    '"a\\u0000"',
    '"a\\n"',
    '"\\u0085"',
    '"\\u2028"',
  ])('refuses the id %s', (id) => {
    expect(codeOf(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)).toBe('frame-id-invalid');
    expect(codeOf(`{"jsonrpc":"2.0","id":${id},"result":{}}`, 'toClient')).toBe('frame-id-invalid');
  });

  it.each(['0', '-1', '9007199254740991', '-9007199254740991', `"${'x'.repeat(128)}"`, '""', '"1"'])(
    'accepts the id %s',
    (id) => {
      expect(codeOf(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)).toBe('accepted');
    },
  );

  it('gives the id of a refused message where it could be read', () => {
    const decoded = decode('{"jsonrpc":"2.0","id":"q7","method":"ping","extra":1}');
    expect(!decoded.ok && decoded.failure.id).toBe('q7');
  });
});

describe('batches', () => {
  const ping = (id: string): string => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
  const body = (text: string, limits: Partial<DecodeLimits> = {}) => {
    const decoded = decodeBody(Buffer.from(text), { ...defaultDecodeLimits, ...limits }, 'toUpstream');
    return decoded.ok ? decoded.value : decoded.failure.code;
  };

  it('gives each message its own bytes and id', () => {
    const decoded = body(` [ ${ping('1')} ,\n${ping('"1"')}, {"jsonrpc":"2.0","method":"x"} ]`);
    if (typeof decoded === 'string') throw new Error(decoded);
    expect(decoded.batch).toBe(true);
    expect(decoded.frames.map((frame) => frame.bytes.toString())).toEqual([
      ping('1'),
      ping('"1"'),
      '{"jsonrpc":"2.0","method":"x"}',
    ]);
    for (const frame of decoded.frames) {
      if (frame.kind !== 'request') continue;
      expect(JSON.parse(frame.bytes.toString('utf8', ...frame.idSpan))).toBe(frame.id);
    }
  });

  it('a single message is a body too', () => {
    expect(body(ping('1'))).toMatchObject({ batch: false, frames: [{ kind: 'request', id: 1 }] });
  });

  it.each([
    ['an empty one', '[]', 'batch-invalid'],
    ['two requests with one id', `[${ping('1')},${ping('1')}]`, 'batch-invalid'],
    [
      'two responses with one id',
      '[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":1,"result":{}}]',
      'batch-invalid',
    ],
    ['too many', `[${Array.from({ length: 101 }, (_, id) => ping(String(id))).join(',')}]`, 'batch-invalid'],
    [
      'initialize',
      `[${ping('1')},{"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}]`,
      'batch-invalid',
    ],
    [
      'a modern message',
      `[{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}]`,
      'batch-invalid',
    ],
    ['a nested batch', `[[${ping('1')}]]`, 'frame-invalid'],
    ['a number', '[1]', 'frame-invalid'],
    ['a null after a message', `[${ping('1')},null]`, 'frame-invalid'],
    ['one bad message', `[${ping('1')},{"jsonrpc":"2.0","id":2}]`, 'frame-invalid'],
    [
      'a repeated key in the second',
      `[${ping('1')},{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}]`,
      'json-repeated-key',
    ],
    [
      'a disguised key in the second',
      `[${ping('1')},{"jsonrpc":"2.0","id":2,"Method":"x","method":"ping"}]`,
      'json-ambiguous-key',
    ],
  ])('refuses %s', (_name, text, code) => {
    expect(body(text)).toBe(code);
  });

  it('a request and a response may share an id: they are different spaces', () => {
    expect(typeof body(`[${ping('1')},{"jsonrpc":"2.0","id":1,"result":{}}]`)).toBe('object');
  });
});
