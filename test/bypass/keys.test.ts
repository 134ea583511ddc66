import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Arena, bend, expectHonestCall, legacyCall, startArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await startArena();
});

/** Spellings that some decoder takes for the ASCII key: by case, by Unicode folding, or because it skips characters. */
function looksLike(key: string): readonly string[] {
  const special: Readonly<Record<string, string>> = { s: 'ſ', k: '\u212a', i: 'ı', I: 'İ' };
  const foldable = [...key].findIndex((letter) => special[letter] !== undefined);
  const middle = Math.floor(key.length / 2);
  const wide = [...key].map((c) => (/[a-z]/i.test(c) ? String.fromCodePoint(c.codePointAt(0)! + 0xfee0) : c));
  const bold = [...key].map((c) =>
    /[a-z]/.test(c) ? String.fromCodePoint(0x1d41a + c.charCodeAt(0) - 97) : c,
  );
  return [
    ...new Set([
      key.toUpperCase(),
      key[0]!.toUpperCase() + key.slice(1),
      key.slice(0, -1) + key.at(-1)!.toUpperCase(),
      ...(foldable < 0 ? [] : [key.slice(0, foldable) + special[key[foldable]!] + key.slice(foldable + 1)]),
      `${key}\0`,
      `\0${key}`,
      `${key}\0ignored`,
      `${key} `,
      ` ${key}`,
      `${key}\t`,
      `${key}\u200b`,
      `\ufeff${key}`,
      `${key.slice(0, middle)}\u00ad${key.slice(middle)}`,
      `${key.slice(0, middle)}\u200d${key.slice(middle)}`,
      `\u202e${key}`,
      `${key}\u{e0041}`,
      wide.join(''),
      bold.join(''),
    ]),
  ].filter((spelling) => spelling !== key);
}

const refusal = { status: 400, rpc: -32600, reason: 'json-ambiguous-key', id: 1 } as const;

/** The body as a strict reader sees it is an allowed call; as a lenient one sees it, a forbidden one. */
const places: readonly (readonly [
  where: string,
  key: string,
  value: string,
  put: (member: string) => string,
])[] = [
  ['message', 'method', '"tools/list"', (m) => bend(legacyCall('allowed'), '"params"', `${m},"params"`)],
  [
    'message',
    'params',
    '{"name":"forbidden"}',
    (m) => bend(legacyCall('allowed'), '"params"', `${m},"params"`),
  ],
  ['message', 'id', '2', (m) => bend(legacyCall('allowed'), '"params"', `${m},"params"`)],
  ['message', 'jsonrpc', '"2.0"', (m) => bend(legacyCall('allowed'), '"params"', `${m},"params"`)],
  ['params', 'name', '"forbidden"', (m) => bend(legacyCall('allowed'), '"name"', `${m},"name"`)],
  [
    'params after the name',
    'name',
    '"forbidden"',
    (m) => bend(legacyCall('allowed'), '"allowed"', `"allowed",${m}`),
  ],
  ['params', 'arguments', '{"path":"/"}', (m) => bend(legacyCall('allowed'), '"name"', `${m},"name"`)],
  ['params', '_meta', '{}', (m) => bend(legacyCall('allowed'), '"name"', `${m},"name"`)],
];

describe('a key that a lenient decoder takes for a protocol key', () => {
  for (const [where, key, value, put] of places) {
    for (const spelling of looksLike(key)) {
      it(`should NOT bypass as ${JSON.stringify(spelling)} for ${key} in the ${where}`, async () => {
        await arena.refused(() => post(arena.url, put(`${JSON.stringify(spelling)}:${value}`)), refusal);
      });
    }
  }

  const read = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'file:///public/a' } };
  const complete = {
    jsonrpc: '2.0',
    id: 1,
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'a', value: 'b' } },
  };
  for (const spelling of ['URI', 'Uri', 'urı', 'uri\0', 'uri ', 'ｕｒｉ']) {
    it(`should NOT bypass as ${JSON.stringify(spelling)} for uri`, async () => {
      const body = bend({ body: read }, '"uri"', `${JSON.stringify(spelling)}:"file:///secret","uri"`);
      await arena.refused(() => post(arena.url, body), refusal);
    });
  }
  for (const spelling of ['Name', 'NAME', 'name\0', 'na\u00adme', 'Type', 'TYPE', 'Uri']) {
    it(`should NOT bypass as ${JSON.stringify(spelling)} in a ref`, async () => {
      const body = bend(
        { body: complete },
        '"ref/prompt"',
        `"ref/prompt",${JSON.stringify(spelling)}:"secret"`,
      );
      await arena.refused(() => post(arena.url, body), refusal);
    });
  }
  const version = 'io.modelcontextprotocol/protocolVersion';
  for (const spelling of [...looksLike(version).slice(0, 12), 'IO.modelcontextprotocol/protocolVersion']) {
    it(`should NOT bypass as ${JSON.stringify(spelling)} in _meta`, async () => {
      const { headers, body } = modern('tools/call', { name: 'allowed' });
      const bent = bend({ body }, `"${version}"`, `${JSON.stringify(spelling)}:"2025-11-25","${version}"`);
      await arena.refused(() => post(arena.url, bent, { headers }), refusal);
    });
  }
});

describe('a repeated key', () => {
  const repeated = { status: 400, rpc: -32700, reason: 'json-repeated-key' } as const;
  const call = legacyCall('allowed', { arguments: { a: { b: [{ c: 1 }] } }, _meta: { progressToken: 1 } });
  const disguises: readonly (readonly [name: string, part: string, by: string])[] = [
    ['method, the last forbidden', '"method":"tools/call"', '"method":"ping","method":"tools/call"'],
    ['method, the first forbidden', '"method":"tools/call"', '"method":"tools/call","method":"ping"'],
    ['name, the last forbidden', '"name":"allowed"', '"name":"allowed","name":"forbidden"'],
    ['name, the first forbidden', '"name":"allowed"', '"name":"forbidden","name":"allowed"'],
    ['name, the same twice', '"name":"allowed"', '"name":"allowed","name":"allowed"'],
    ['name, three times', '"name":"allowed"', '"name":"allowed","name":"forbidden","name":"allowed"'],
    ['name, escaped', '"name":"allowed"', '"name":"allowed","n\\u0061me":"forbidden"'],
    ['name, wholly escaped', '"name"', '"\\u006e\\u0061\\u006D\\u0065":"forbidden","name"'],
    ['name, both escaped', '"name"', '"n\\u0061me":"forbidden","nam\\u0065"'],
    ['name, far apart', '"_meta"', '"name":"forbidden","_meta"'],
    ['params', '"params"', '"params":{"name":"forbidden"},"params"'],
    ['params, escaped', '"params"', '"p\\u0061rams":{"name":"forbidden"},"params"'],
    ['id', '"id":1', '"id":1,"id":2'],
    ['id, escaped', '"id":1', '"id":1,"\\u0069d":2'],
    ['jsonrpc', '"jsonrpc":"2.0"', '"jsonrpc":"1.0","jsonrpc":"2.0"'],
    ['arguments', '"arguments"', '"arguments":{"amount":1},"arguments"'],
    ['an argument', '"a":', '"a":1,"a":'],
    ['an argument, escaped', '"a":', '"\\u0061":1,"a":'],
    ['deep in the arguments', '"c":1', '"c":1,"c":2'],
    ['deep in the arguments, escaped', '"c":1', '"c":1,"\\u0063":2'],
    ['in _meta', '"progressToken":1', '"progressToken":1,"progressToken":2'],
    ['a key with a slash, escaped in one of two ways', '"c":1', '"a/b":1,"a\\/b":2'],
    ['a key beyond the BMP, escaped', '"c":1', '"\u{1f600}":1,"\\ud83d\\ude00":2'],
    ['an accented key, escaped', '"c":1', '"\u00e9":1,"\\u00E9":2'],
    ['the empty key', '"c":1', '"":1,"":2'],
    ['after forty others', '"c":1', `${Array.from({ length: 40 }, (_, i) => `"k${i}":0`).join(',')},"k3":1`],
  ];
  for (const [name, part, by] of disguises) {
    it(`should NOT bypass: ${name}`, async () => {
      await arena.refused(() => post(arena.url, bend(call, part, by)), repeated);
    });
  }
});

describe('a key that changes objects instead of being data', () => {
  const forbidden = { status: 400, rpc: -32700, reason: 'json-forbidden-key' } as const;
  const call = legacyCall('allowed', { arguments: { a: { b: 1 } } });
  for (const [name, part, by] of [
    ['in the message', '"id":1', '"__proto__":{"method":"x"},"id":1'],
    ['in params', '"name"', '"__proto__":{"name":"forbidden"},"name"'],
    ['in arguments', '"a":', '"__proto__":{"amount":1},"a":'],
    ['deep in arguments', '"b":1', '"__proto__":null'],
    ['escaped', '"a":', '"__pr\\u006fto__":{"amount":1},"a":'],
    ['wholly escaped', '"a":', '"\\u005f\\u005fproto\\u005f\\u005f":{"amount":1},"a":'],
  ] as const) {
    it(`should NOT bypass: __proto__ ${name}`, async () => {
      await arena.refused(() => post(arena.url, bend(call, part, by)), forbidden);
    });
  }
});

it('an escaped spelling of an honest key, alone, is that key', async () => {
  const { value, seen } = await arena.observe(() =>
    post(arena.url, bend(legacyCall('forbidden'), '"name"', '"n\\u0061me"')),
  );
  expect(value.json()).toMatchObject({ id: 1, error: { code: 4030, data: { reason: 'denied' } } });
  expect(seen).toEqual([]);
  const allowed = await arena.observe(() =>
    post(arena.url, bend(legacyCall('allowed'), '"name"', '"n\\u0061me"')),
  );
  expect(allowed.seen).toHaveLength(1);
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
