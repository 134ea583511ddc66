import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { call, limitsOf, makeExchange, makeGate, note, policyOf, principal, told, up } from './support.ts';

const policy = policyOf(`
version: 1
roles: { all: { allow: [{ tools: ["*"] }] } }
bindings: [{ roles: [all], to: [{ any: true }] }]
limits:
  - { name: at-once, match: { tools: ["*"] }, per: [principal], concurrency: 2 }
  - { name: dry, match: { tools: ["*"] }, per: [upstream], concurrency: 1, mode: shadow }
`);

const begin = (name = 'alice'): Exchange =>
  makeExchange({ request: call('tools/call', { name: 'query' }), policy, principal: principal(name) });

describe('a limit on calls at once', () => {
  test('refuses the call too many, and admits again once one has ended', async () => {
    const filter = limitsOf(makeGate());
    const [one, two, three, four] = [begin(), begin(), begin(), begin()];
    expect(told(await up(filter, one))).toBe('pass');
    expect(told(await up(filter, two))).toBe('pass');
    expect(told(await up(filter, three))).toEqual({ code: 'concurrency-limited', limit: 'at-once' });
    expect(told(await up(filter, begin('bob')))).toBe('pass');
    filter.end?.(three);
    expect(told(await up(filter, four))).toMatchObject({ code: 'concurrency-limited' });
    filter.end?.(one);
    filter.end?.(one);
    expect(told(await up(filter, begin()))).toBe('pass');
    expect(told(await up(filter, begin()))).toMatchObject({ code: 'concurrency-limited' });
    expect(one.facts.limits).toEqual(['at-once', 'dry']);
  });

  test('holds no place for what waits for nothing', async () => {
    const filter = limitsOf(makeGate());
    for (let index = 0; index < 5; index++) {
      const exchange = makeExchange({ request: note('notifications/initialized'), policy });
      expect(told(await up(filter, exchange))).toBe('pass');
    }
  });

  test('refuses where it cannot count any more keys', async () => {
    const gate = makeGate({ memory: { concurrencyKeys: 3 } });
    const filter = limitsOf(gate);
    expect(told(await up(filter, begin('a')))).toBe('pass');
    expect(told(await up(filter, begin('b')))).toBe('pass');
    expect(told(await up(filter, begin('c')))).toBe('overloaded');
    expect(gate.events).toContainEqual({ kind: 'limit-store-full', limit: 'at-once', upstream: 'warehouse' });
  });

  test('is never exceeded and never leaks a place, in whatever order calls begin and end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(6))), async (steps) => {
        const filter = limitsOf(makeGate());
        const running: Exchange[] = [];
        for (const [name, choice] of steps) {
          if (choice > 3) {
            const ended = running.splice(choice % Math.max(1, running.length), 1)[0];
            if (ended !== undefined) filter.end?.(ended);
            continue;
          }
          const exchange = begin(name);
          const mine = running.filter(({ principal: { id } }) => id === `apikey:${name}`).length;
          const verdict = await up(filter, exchange);
          expect(verdict.kind).toBe(mine < 2 ? 'pass' : 'reject');
          if (verdict.kind === 'pass') running.push(exchange);
          else filter.end?.(exchange);
        }
        for (const exchange of running) filter.end?.(exchange);
        expect(told(await up(filter, begin('a')))).toBe('pass');
        expect(told(await up(filter, begin('a')))).toBe('pass');
      }),
      { numRuns: 50 },
    );
  });
});
