import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

/** One condition that allows, one that denies, and one on something deeper. */
const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [allowed]
      - tools: [transfer]
        when: { args: { amount: { max: 1000 } } }
      - tools: [pay]
      - tools: [query]
        when: { args: { "target.database": { equals: replica } } }
      - tools: [delete]
        when: { args: { "paths[*]": { prefix: "/tmp/" } } }
      - tools: [fetch]
        when: { args: { url: { pattern: "https://good\\\\.example/.*" } } }
      - tools: [flag]
        when: { args: { dryRun: { equals: true } } }
    deny:
      - tools: [pay]
        when: { args: { amount: { min: 1001 } } }
bindings:
  - roles: [caller]
    to: { any: true }
`;

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});

const refused = { status: 200, rpc: 4030, reason: 'arguments-refused', id: 1 } as const;
const body = (tool: string, args: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${args}}}`;

describe('an amount that a rule bounds', () => {
  const tooMuch = [
    '1001',
    '1001.0',
    '1.001e3',
    '100100e-2',
    '1e4',
    '1E+4',
    '1e308',
    '9007199254740993',
    '99999999999999999999999999',
    '"1000"',
    '"1"',
    '"1e9"',
    '" 1"',
    '""',
    'null',
    'true',
    'false',
    '[]',
    '[1]',
    '[1,5000]',
    '{}',
    '{"value":1}',
    '{"$numberLong":"5000"}',
  ];
  const missing = [
    '{}',
    '{"sum":1}',
    '{"arguments":{"amount":1}}',
    '{"transfer":{"amount":1}}',
    '{"amounts":1}',
    '{"amount.":1}',
    '{"$.amount":1}',
    '{"constructor":{"amount":1}}',
    '{"prototype":{"amount":1}}',
  ];
  const siblings = [
    'Amount',
    'AMOUNT',
    'amounT',
    'amount\\u0000',
    'amo\\u00adunt',
    'ａｍｏｕｎｔ',
    'amount\\u200b',
    '\\ufeffamount',
    'am\\u{43e}unt'.replace('\\u{43e}', '\\u24de'),
  ];

  for (const tool of ['transfer', 'pay']) {
    // Both ways round: what cannot be evaluated is not allowed by the one rule, and is denied by the other.
    for (const value of tooMuch) {
      it(`should NOT bypass: ${tool} ${value}`, () =>
        arena.refused(() => post(arena.url, body(tool, `{"amount":${value}}`)), {
          ...refused,
          reason: tool === 'pay' ? 'denied' : 'arguments-refused',
        }));
    }
    for (const args of missing) {
      it(`should NOT bypass: ${tool} without the amount: ${args}`, () =>
        arena.refused(() => post(arena.url, body(tool, args)), {
          ...refused,
          reason: tool === 'pay' ? 'denied' : 'arguments-refused',
        }));
    }
    for (const key of siblings) {
      for (const args of [`{"amount":1,"${key}":5000}`, `{"${key}":5000,"amount":1}`, `{"${key}":1}`]) {
        it(`should NOT bypass: ${tool} ${args}`, () =>
          arena.refused(() => post(arena.url, body(tool, args)), {
            ...refused,
            reason: tool === 'pay' ? 'denied' : 'arguments-refused',
          }));
      }
    }
  }

  it('should NOT bypass: just above', () =>
    arena.refused(() => post(arena.url, body('transfer', '{"amount":1000.0000001}')), refused));
  it('should NOT bypass: no arguments member at all', async () => {
    await arena.refused(() => post(arena.url, legacyCall('transfer').body), refused);
  });
  for (const args of ['null', '[]', '[{"amount":1}]', '"{\\"amount\\":1}"', '1', 'true']) {
    it(`should NOT bypass: arguments ${args}`, () =>
      arena.refused(() => post(arena.url, body('transfer', args)), {
        status: 400,
        rpc: -32602,
        reason: 'frame-params-invalid',
        id: 1,
      }));
  }
  for (const [args, reason] of [
    ['{"amount":1,"amount":5000}', 'json-repeated-key'],
    ['{"amount":1,"\\u0061mount":5000}', 'json-repeated-key'],
    ['{"amount":1,"amoun\\u0074":1}', 'json-repeated-key'],
    ['{"amount":1,"__proto__":{"amount":5000}}', 'json-forbidden-key'],
    ['{"__proto__":{"amount":1}}', 'json-forbidden-key'],
    ['{"amount":1e999}', 'json-number'],
  ] as const) {
    it(`should NOT bypass: ${args}`, () =>
      arena.refused(() => post(arena.url, body('transfer', args)), { status: 400, rpc: -32700, reason }));
  }

  for (const value of ['1000', '1000.0', '1e3', '10E2', '-5', '0', '0.5']) {
    it(`reaches the upstream in its own digits: ${value}`, async () => {
      const { seen } = await arena.observe(() => post(arena.url, body('transfer', `{"amount":${value}}`)));
      expect(seen[0]!.body.toString()).toContain(`{"amount":${value}}`);
    });
  }
});

describe('conditions on other shapes', () => {
  const disguises: readonly (readonly [string, string])[] = [
    ['query', '{"target":{"database":"primary"}}'],
    ['query', '{"target":{"database":"Replica"}}'],
    ['query', '{"target":{"database":"replica "}}'],
    ['query', '{"target":{"database":["replica"]}}'],
    ['query', '{"target":[{"database":"replica"}]}'],
    ['query', '{"target.database":"replica"}'],
    ['query', '{"target.database":"replica","target":{"database":"primary"}}'],
    ['query', '{"target":{"database":"replica","Database":"primary"}}'],
    ['query', '{"target":{"database":"replica"},"Target":{"database":"primary"}}'],
    ['query', '{"target":null}'],
    ['query', '{"database":"replica"}'],
    ['query', '{"target":{"target":{"database":"replica"}}}'],
    ['delete', '{"paths":[]}'],
    ['delete', '{"paths":["/etc/passwd"]}'],
    ['delete', '{"paths":["/tmp/a","/etc/passwd"]}'],
    ['delete', '{"paths":["/tmp/a",null]}'],
    ['delete', '{"paths":["/tmp/a",["/etc"]]}'],
    ['delete', '{"paths":"/tmp/a"}'],
    ['delete', '{"paths":{"0":"/tmp/a"}}'],
    ['delete', '{"paths":["/TMP/a"]}'],
    ['delete', '{"paths":[" /tmp/a"]}'],
    ['delete', '{"paths":["/tmp"]}'],
    ['delete', '{"paths[*]":"/tmp/a"}'],
    ['delete', '{"paths":["/tmp/a"],"Paths":["/etc"]}'],
    ['fetch', '{"url":"https://good.example.evil.example/x"}'],
    ['fetch', '{"url":"https://goodXexample/x"}'],
    ['fetch', '{"url":"http://good.example/x"}'],
    ['fetch', '{"url":"https://evil.example/?https://good.example/"}'],
    ['fetch', '{"url":"https://evil.example\\nhttps://good.example/"}'],
    ['fetch', '{"url":"\\nhttps://good.example/"}'],
    ['fetch', '{"url":"https://good.example/\\nx"}'],
    ['fetch', '{"url":["https://good.example/x"]}'],
    ['flag', '{"dryRun":"true"}'],
    ['flag', '{"dryRun":1}'],
    ['flag', '{"dryRun":null}'],
    ['flag', '{"dryRun":[true]}'],
    ['flag', '{"dryrun":true}'],
    ['flag', '{"dryRun":true,"dryrun":false}'],
    ['flag', '{}'],
  ];
  for (const [tool, args] of disguises) {
    it(`should NOT bypass: ${tool} ${args}`, () =>
      arena.refused(() => post(arena.url, body(tool, args)), refused));
  }
  for (const [tool, args] of [
    ['query', '{"target":{"database":"replica"}}'],
    ['delete', '{"paths":["/tmp/a","/tmp/b"]}'],
    ['fetch', '{"url":"https://good.example/x"}'],
    ['flag', '{"dryRun":true}'],
    ['pay', '{"amount":1000}'],
  ] as const) {
    it(`lets through: ${tool} ${args}`, async () => {
      const { seen } = await arena.observe(() => post(arena.url, body(tool, args)));
      expect(seen).toHaveLength(1);
    });
  }

  it('no value of the caller comes back in the refusal', async () => {
    const answer = await post(arena.url, body('query', '{"target":{"database":"s3cret-value"}}'));
    expect(answer.body.toString()).not.toContain('s3cret-value');
  });

  it('the other era has the same conditions', async () => {
    const { headers, body: call } = modern('tools/call', { name: 'transfer', arguments: { amount: 5000 } });
    await arena.refused(() => post(arena.url, call, { headers }), refused);
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
