import { beforeAll, describe, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Arena, bend, expectHonestCall, legacyCall, startArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await startArena();
});

describe('an id that two parties read differently', () => {
  const refusal = { status: 400, rpc: -32600, reason: 'frame-id-invalid' } as const;
  const ids = [
    'null',
    'true',
    'false',
    '[]',
    '[1]',
    '{}',
    '{"id":1}',
    '1.5',
    '1.0',
    '1e0',
    '1E2',
    '10e-1',
    '-0',
    '0.0',
    '0e0',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '123456789012345678901234567890',
    '1e100',
    '4.9e-324',
    `"${'a'.repeat(129)}"`,
    `"${'a'.repeat(5000)}"`,
    '"a\\u0000b"',
    '"a\\nb"',
    '"a\\r\\ndata: x"',
    '"a\\u2028b"',
    '"\\u007f"',
    '"\\u0085"',
  ];
  for (const id of ids) {
    it(`should NOT bypass: ${id.slice(0, 40)}`, async () => {
      await arena.refused(
        () => post(arena.url, bend(legacyCall('allowed'), '"id":1', `"id":${id}`)),
        refusal,
      );
      const { headers, body } = modern('tools/call', { name: 'allowed' });
      await arena.refused(
        () => post(arena.url, bend({ body }, '"id":1', `"id":${id}`), { headers }),
        refusal,
      );
    });
  }
  for (const [id, reason] of [
    ['"\\ud800"', 'json-lone-surrogate'],
    ['"\\udc00\\ud800"', 'json-lone-surrogate'],
    ['1e400', 'json-number'],
    ['-1e999', 'json-number'],
    ['1'.repeat(2000), 'json-number'],
  ] as const) {
    it(`should NOT bypass: ${id.slice(0, 40)}`, () =>
      arena.refused(() => post(arena.url, bend(legacyCall('allowed'), '"id":1', `"id":${id}`)), {
        status: 400,
        rpc: -32700,
        reason,
      }));
  }
});

describe('a message that is two things at once', () => {
  const refusal = { status: 400, rpc: -32600, reason: 'frame-invalid', id: 1 } as const;
  const disguises: readonly (readonly [string, string])[] = [
    ['a request with a result', '"result":{},"method"'],
    ['a request with an error', '"error":{"code":1,"message":""},"method"'],
    ['a request with a null result', '"result":null,"method"'],
    ['a request with a null error', '"error":null,"method"'],
    ['a request with an unknown member', '"auth":"x","method"'],
    ['a request with the params of another version', '"kwparams":{},"method"'],
    ['a request with _meta beside params', '"_meta":{},"method"'],
    ['a request with headers', '"headers":{"authorization":"x"},"method"'],
  ];
  for (const [name, by] of disguises) {
    it(`should NOT bypass: ${name}`, () =>
      arena.refused(() => post(arena.url, bend(legacyCall('allowed'), '"method"', by)), refusal));
  }
  for (const version of [
    '"1.0"',
    '"2"',
    '2.0',
    '2',
    '"2.0 "',
    '" 2.0"',
    '"2.00"',
    'null',
    '["2.0"]',
    '"２.0"',
  ]) {
    it(`should NOT bypass: jsonrpc ${version}`, () =>
      arena.refused(() => post(arena.url, bend(legacyCall('allowed'), '"2.0"', version)), refusal));
  }
  for (const params of ['null', '[]', '["allowed"]', '"allowed"', '1', 'true', '[{"name":"forbidden"}]']) {
    it(`should NOT bypass: params ${params}`, () =>
      arena.refused(
        () => post(arena.url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`),
        refusal,
      ));
  }
  it('should NOT bypass: no params', () =>
    arena.refused(() => post(arena.url, '{"jsonrpc":"2.0","id":1,"method":"tools/call"}'), {
      status: 400,
      rpc: -32602,
      reason: 'frame-params-invalid',
      id: 1,
    }));
  for (const meta of ['null', '[]', '"x"', '1']) {
    it(`should NOT bypass: _meta ${meta}`, () =>
      arena.refused(() => post(arena.url, bend(legacyCall('allowed'), '"name"', `"_meta":${meta},"name"`)), {
        status: 400,
        rpc: -32602,
        reason: 'frame-params-invalid',
        id: 1,
      }));
  }
});

describe('an answer to a question that nobody asked', () => {
  const orphan = { status: 400, rpc: -32600, reason: 'answer-unexpected' } as const;
  const invalid = { status: 400, rpc: -32600, reason: 'frame-invalid' } as const;
  const call = legacyCall('forbidden').body;
  const disguises: readonly (readonly [
    string,
    unknown,
    { status: number; rpc: number; reason: string; id?: number },
  ])[] = [
    ['a result', { jsonrpc: '2.0', id: 1, result: {} }, orphan],
    ['a result with a text id', { jsonrpc: '2.0', id: '1', result: {} }, orphan],
    [
      'a result of sampling',
      { jsonrpc: '2.0', id: 0, result: { role: 'assistant', content: {}, model: 'x' } },
      orphan,
    ],
    [
      'a result of an elicitation',
      { jsonrpc: '2.0', id: 0, result: { action: 'accept', content: {} } },
      orphan,
    ],
    ['a request in a result', { jsonrpc: '2.0', id: 1, result: call }, orphan],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: -1, message: 'x' } }, orphan],
    ['an error without id', { jsonrpc: '2.0', error: { code: -1, message: 'x' } }, orphan],
    [
      'a request in an error',
      { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x', data: call } },
      orphan,
    ],
    ['a result without id', { jsonrpc: '2.0', result: {} }, { ...invalid, reason: 'frame-id-invalid' }],
    [
      'an error with a null id',
      { jsonrpc: '2.0', id: null, error: { code: 1, message: '' } },
      { ...invalid, reason: 'frame-id-invalid' },
    ],
    ['a result that is a list', { jsonrpc: '2.0', id: 1, result: [call] }, { ...invalid, id: 1 }],
    [
      'a result with params',
      { jsonrpc: '2.0', id: 1, result: {}, params: call.params },
      { ...invalid, id: 1 },
    ],
    [
      'a result and an error',
      { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } },
      { ...invalid, id: 1 },
    ],
    ['an error without code', { jsonrpc: '2.0', id: 1, error: { message: '' } }, { ...invalid, id: 1 }],
    [
      'an error with a broken code',
      { jsonrpc: '2.0', id: 1, error: { code: 1.5, message: '' } },
      { ...invalid, id: 1 },
    ],
  ];
  for (const [name, body, refusal] of disguises) {
    it(`should NOT bypass: ${name}`, () => arena.refused(() => post(arena.url, body), refusal));
  }
  it('should NOT bypass: with the headers of 2026-07-28, which has no answers of clients', async () => {
    const { headers } = modern('tools/call', { name: 'allowed' });
    const body = { jsonrpc: '2.0', id: 1, result: {} };
    await arena.refused(() => post(arena.url, body, { headers }), { ...invalid, id: 1 });
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
