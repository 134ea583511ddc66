import { beforeAll, describe, expect, it } from 'vitest';
import { initialize } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Arena, legacyCall, startArena } from './arena.ts';

const policy = `
version: 1
roles: { all: { allow: [{ tools: ["*"], methods: ["**"] }] } }
bindings: [{ roles: [all], to: { any: true } }]
limits:
  - { name: rows, match: { tools: [safe_rows] }, per: principal, quota: 100/month, cost: args.rows }
  - { name: money, match: { tools: [safe_money] }, per: principal, sum: args.amount per month, most: 100 }
  - { name: nested, match: { tools: [safe_nested] }, per: principal, sum: args.order.amount per month, most: 100 }
  - { name: few, match: { tools: [safe_few] }, per: principal, quota: 3/month }
`;

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});

const unknown = { status: 200, rpc: -32602, reason: 'cost-unknown', id: 1 } as const;
const tooHigh = { status: 200, rpc: 4290, reason: 'cost-too-high', id: 1 } as const;
const usedUp = { status: 200, rpc: 4290, reason: 'quota-exhausted', id: 1 } as const;

/** The text of a call whose arguments are written as they are given, for what no encoder would write. */
function textOf(name: string, args: string): string {
  return JSON.stringify(legacyCall(name, { arguments: 'HERE' }).body).replace('"HERE"', () => args);
}

describe('an amount in an argument', () => {
  for (const [tool, key, around] of [
    ['safe_rows', 'rows', (text: string) => text],
    ['safe_money', 'amount', (text: string) => text],
    ['safe_nested', 'amount', (text: string) => `{"order":${text}}`],
  ] as const) {
    for (const args of [
      '{}',
      `{"${key}":"5"}`,
      `{"${key}":"-5"}`,
      `{"${key}":""}`,
      `{"${key}":null}`,
      `{"${key}":true}`,
      `{"${key}":[5]}`,
      `{"${key}":{"${key}":5}}`,
      `{"${key}":{"value":5}}`,
      `{"${key}":-5}`,
      `{"${key}":-0.001}`,
      `{"${key}":1e300}`,
      `{"${key}":9007199254740993000}`,
      `{"${key}":99999999999999999999999999999999}`,
      `{"${key.toUpperCase()}":5}`,
      `{"${key}":1,"${key.toUpperCase()}":5000}`,
      `{"${key}":1,"${key[0]!.toUpperCase()}${key.slice(1)}":5000}`,
      `{" ${key}":5}`,
      `{"${key}\\u0000":5}`,
      `{"args.${key}":5}`,
      `[{"${key}":5}]`,
    ]) {
      it(`should NOT bypass by ${args} for ${tool}`, async () => {
        const { value, seen } = await arena.observe(() => post(arena.url, textOf(tool, around(args))));
        expect(seen).toEqual([]);
        expect(value.json<{ error?: object }>().error).toBeDefined();
      });
    }
  }

  it('should NOT bypass by leaving it out, and says which limit reads it', async () => {
    const answer = await arena.refused(() => post(arena.url, textOf('safe_rows', '{}')), unknown);
    expect(answer.json()).toMatchObject({ error: { data: { limit: 'rows' } } });
  });

  it('should NOT bypass by asking for all at once', async () => {
    await arena.refused(() => post(arena.url, textOf('safe_money', '{"amount":100.001}')), tooHigh);
    await arena.refused(() => post(arena.url, textOf('safe_rows', '{"rows":101}')), tooHigh);
  });

  it('should NOT bypass by another way to write the number', async () => {
    for (const number of ['60', '0.4e2', '0', '0e5', '0.0']) {
      const { seen } = await arena.observe(() =>
        post(arena.url, textOf('safe_money', `{"amount":${number}}`)),
      );
      expect(seen).toHaveLength(1);
    }
    for (const number of ['1', '1.0', '0.001', '1e0', '100e-2']) {
      await arena.refused(() => post(arena.url, textOf('safe_money', `{"amount":${number}}`)), usedUp);
    }
  });
});

describe('a quota', () => {
  it('should NOT bypass by spreading the calls over a batch', async () => {
    const opened = await post(arena.url, initialize('2025-03-26'));
    const session = {
      'mcp-session-id': opened.headers['mcp-session-id']!,
      'mcp-protocol-version': '2025-03-26',
    };
    const batch = Array.from({ length: 8 }, (_, index) => ({
      ...legacyCall('safe_few').body,
      id: index + 1,
    }));
    const { value, seen } = await arena.observe(() => post(arena.url, batch, { headers: session }));
    expect(seen).toHaveLength(3);
    expect(value.body.toString().match(/quota-exhausted/g)).toHaveLength(5);
    const again = await post(arena.url, initialize('2025-03-26'));
    const other = { ...session, 'mcp-session-id': again.headers['mcp-session-id']! };
    const { seen: further } = await arena.observe(() => post(arena.url, batch, { headers: other }));
    expect(further).toEqual([]);
  });
});
