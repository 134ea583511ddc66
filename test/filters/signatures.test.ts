import { describe, expect, test } from 'vitest';
import { signatures as filter } from '../../src/filters/signatures.ts';
import { selectSignatures } from '../../src/signatures/signatures.ts';
import { call, makeExchange, modernCall, modernExchange, told, up } from './support.ts';

const attack = "x' UNION SELECT NULL,NULL --";

describe('signatures', () => {
  test('are noted, and refuse nothing', async () => {
    for (const exchange of [
      makeExchange({
        request: call('tools/call', { name: 'query', arguments: { a: { b: ['fine', attack] } } }),
      }),
      modernExchange(modernCall('tools/call', { name: 'query', arguments: { a: { b: ['fine', attack] } } })),
    ]) {
      expect(told(await up(filter(selectSignatures(undefined)), exchange))).toBe('pass');
      expect(exchange.facts.findings).toEqual([
        {
          check: 'signatures',
          effect: 'alert',
          rule: 'signatures.sql-union-probe',
          path: 'a.b[1]',
          detail: 'sql',
        },
      ]);
    }
  });

  test('look at arguments of tool calls only', async () => {
    for (const request of [
      call('prompts/get', { name: 'p', arguments: { a: attack } }),
      call('tools/call', { name: attack, arguments: {} }),
      call('tools/call', { name: 'query' }),
      call('tools/list', { cursor: attack }),
    ]) {
      const exchange = makeExchange({ request });
      expect(told(await up(filter(selectSignatures(undefined)), exchange))).toBe('pass');
      expect(exchange.facts.findings).toEqual([]);
    }
  });

  test('that are off are not looked for', async () => {
    const exchange = makeExchange({ request: call('tools/call', { name: 'q', arguments: { a: attack } }) });
    await up(filter([]), exchange);
    expect(exchange.facts.findings).toEqual([]);
  });
});
