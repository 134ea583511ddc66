import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import {
  call,
  type ExchangeShape,
  limitsOf,
  makeExchange,
  makeGate,
  note,
  policyWithLimits,
  principal,
  told,
  up,
} from './support.ts';

const perPrincipalAndTool = policyWithLimits(
  '  - { name: queries, match: { tools: ["*"] }, per: [principal, tool], rate: 1/s, burst: 2 }',
);

const query = call('tools/call', { name: 'query', arguments: {} });

async function answers(shapes: readonly ExchangeShape[], options: object = {}): Promise<unknown[]> {
  const rate = limitsOf(makeGate(options));
  const all: unknown[] = [];
  for (const shape of shapes) all.push(told(await up(rate, makeExchange({ request: query, ...shape }))));
  return all;
}

describe('a rate of the policy', () => {
  test('admits its burst, then refuses with the name of the limit and the exact wait', async () => {
    const policy = perPrincipalAndTool;
    const refused = (retryAfterMs: number) => ({ code: 'rate-limited', limit: 'queries', retryAfterMs });
    expect(
      await answers([
        { policy, startedAt: 0 },
        { policy, startedAt: 0 },
        { policy, startedAt: 0 },
        { policy, startedAt: 999 },
        { policy, startedAt: 1000 },
        { policy, startedAt: 1000 },
      ]),
    ).toEqual(['pass', 'pass', refused(1000), refused(1), 'pass', refused(1000)]);
  });

  test('counts each principal and each known tool by itself', async () => {
    const policy = perPrincipalAndTool;
    const catalog = createCatalog();
    catalog.learnTools(
      ['query', 'other'].map((name) => ({ name, mirroredArguments: new Map(), definition: { name } })),
    );
    const other = call('tools/call', { name: 'other' });
    const [bob, shape] = [principal('bob'), { policy, catalog }];
    const results = await answers([
      shape,
      shape,
      { ...shape, principal: bob },
      { ...shape, request: other },
      shape,
    ]);
    expect(results.slice(0, 4)).toEqual(['pass', 'pass', 'pass', 'pass']);
    expect(results[4]).toMatchObject({ code: 'rate-limited' });
  });

  test('gives made-up tool names one burst between them', async () => {
    const made = Array.from({ length: 5 }, (_, index) => call('tools/call', { name: `made-up-${index}` }));
    const results = await answers(made.map((request) => ({ request, policy: perPrincipalAndTool })));
    expect(results.filter((result) => result === 'pass')).toHaveLength(2);
  });

  test('is charged by no call that another limit refuses, and the longest wait is told', async () => {
    const policy = policyWithLimits(`
  - { name: wide, match: { tools: ["*"] }, per: [principal], rate: 3/s, burst: 3 }
  - { name: narrow, match: { tools: [query] }, per: [principal], rate: 1/min, burst: 1 }
  - { name: slowest, match: { tools: [query] }, per: [principal], rate: 1/h, burst: 1 }`);
    const other = { policy, startedAt: 0, request: call('tools/call', { name: 'other' }) };
    const results = await answers([
      { policy, startedAt: 0 },
      { policy, startedAt: 0 },
      { policy, startedAt: 0 },
      other,
      other,
      other,
    ]);
    const refused = { code: 'rate-limited', limit: 'slowest', retryAfterMs: 3_600_000 };
    expect(results.slice(0, 5)).toEqual(['pass', refused, refused, 'pass', 'pass']);
    expect(results[5]).toMatchObject({ limit: 'wide' });
  });

  test('in shadow mode refuses nothing, and is reported', async () => {
    const gate = makeGate();
    const policy = policyWithLimits(
      '  - { name: dry, match: { tools: ["*"] }, per: [principal], rate: 1/min, mode: shadow }',
    );
    for (let index = 0; index < 3; index++) {
      const exchange = makeExchange({ request: query, policy });
      expect(told(await up(limitsOf(gate), exchange))).toBe('pass');
      expect(exchange.facts.limits).toEqual(['dry']);
    }
    expect(gate.events).toContainEqual({ kind: 'shadow-limit', limit: 'dry', upstream: 'warehouse' });
  });

  test('refuses new keys once its store is full of keys that count, and says so to operators', async () => {
    const gate = makeGate({ memory: { rateKeys: 2 } });
    const policy = policyWithLimits(
      '  - { name: all, match: { tools: ["*"] }, per: [principal], rate: 1/h, burst: 2 }',
    );
    const ask = async (name: string, startedAt: number) =>
      told(
        await up(
          limitsOf(gate),
          makeExchange({ request: query, policy, principal: principal(name), startedAt }),
        ),
      );
    expect(await ask('a', 0)).toBe('pass');
    expect(await ask('b', 0)).toBe('pass');
    expect(await ask('c', 0)).toBe('overloaded');
    expect(await ask('a', 0)).toBe('pass');
    expect(gate.events).toEqual([{ kind: 'limit-store-full', limit: 'all', upstream: 'warehouse' }]);
    expect(await ask('c', 3_600_001)).toBe('pass');
  });

  test('counts notifications too', async () => {
    const policy = policyWithLimits(
      '  - { name: any, match: { methods: ["**"] }, per: [principal], rate: 1/min, burst: 1 }',
    );
    const request = note('notifications/initialized');
    const results = await answers([
      { policy, request },
      { policy, request },
    ]);
    expect(results).toEqual(['pass', expect.objectContaining({ limit: 'any' })]);
  });

  test('never lets one caller use up what another has, whatever they are called', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), async (one, two) => {
        fc.pre(one !== two);
        const policy = policyWithLimits(
          '  - { name: each, match: { tools: ["*"] }, per: [principal, upstream], rate: 1/h, burst: 1 }',
        );
        const as = (id: string, upstream: string): ExchangeShape => ({
          policy,
          principal: { ...principal(), id },
          upstream,
        });
        const callers = [as(one, two), as(two, one), as(one + two, ''), as('', one + two)];
        expect(await answers(callers)).toEqual(['pass', 'pass', 'pass', 'pass']);
      }),
      { numRuns: 20 },
    );
  });
});
