import { expect, it } from 'vitest';
import { ask, oneRole, type Question, tokenWith } from './support/build.ts';

const token = (claims: Record<string, unknown>) => ({ credentials: [tokenWith(claims)] });

/** A condition, a call, and the part of the condition that is said not to hold. */
const rows: readonly (readonly [string, Question, string])[] = [
  ['{ args: { a: { min: 1, max: 5 } } }', { args: { a: 9 } }, 'args.a.max'],
  ['{ args: { a: { min: 1, max: 5 } } }', { args: { a: 0 } }, 'args.a.min'],
  ['{ args: { a: { min: 1, max: 5 } } }', { args: { a: 'x' } }, 'args.a.min'],
  ['{ args: { a: { min: 1, present: true } } }', { args: {} }, 'args.a.present'],
  ['{ args: { a: { equals: x, maxLength: 3 } } }', { args: { a: 5 } }, 'args.a.equals'],
  ['{ args: { a.b: { maxLength: 3 } } }', { args: { a: 'x' } }, 'args.a.b.maxLength'],
  ['{ args: { "a[*]": { min: 1, max: 5 } } }', { args: { a: [2, 9, 0] } }, 'args.a[*].max'],
  ['{ args: { "a[*]": { min: 1, max: 5 } } }', { args: { a: [] } }, 'args.a[*].min'],
  ['{ args: { a: { max: 5 }, b: { max: 5 } } }', { args: { a: 'x', b: 9 } }, 'args.b.max'],
  ['{ args: { a: { max: 5 }, b: { max: 5 } } }', { args: { a: 1 } }, 'args.b.max'],
  ['{ network: 10.0.0.0/8 }', { address: '11.0.0.1' }, 'network'],
  ['{ network: 10.0.0.0/8 }', { address: 'nowhere' }, 'network'],
  ['{ time: { days: mon } }', { time: Date.UTC(2026, 0, 1) }, 'time'],
  ['{ time: { days: mon } }', { time: Number.NaN }, 'time'],
  ['{ cel: "args.n < 3" }', { args: { n: 5 } }, 'cel'],
  ['{ cel: "args.n < 3" }', { args: {} }, 'cel'],
  ['{ claims: { g: x } }', {}, 'claims'],
  ['{ claims: { g: x, h: y } }', token({ g: 'x', h: 'z' }), 'claims.h'],
  ['{ claims: { g: x, h: y } }', token({ h: 'z' }), 'claims.h'],
  ['{ claims: { g: x, h: y } }', token({ g: 'x' }), 'claims.h'],
  ['{ claims: { g: x, h: y } }', token({}), 'claims.g'],
  [
    '{ claims: { g: x }, network: 10.0.0.0/8, args: { a: { max: 5 } } }',
    { ...token({ g: 'x' }), args: { a: 9 } },
    'network',
  ],
  ['{ claims: { g: x }, network: 127.0.0.0/8, args: { a: { max: 5 } } }', { args: { a: 9 } }, 'args.a.max'],
];

it.each(rows)('of %s with %j, %s is told', (when, question, condition) => {
  const allow = oneRole(`[{ tools: t, when: ${when} }]`);
  expect(ask(allow, { tool: 't', ...question })).toMatchObject({
    effect: 'deny',
    reasons: [{ code: 'condition-failed', condition }],
  });
});

it('a deny rule that holds tells no condition, and one that cannot be evaluated tells which', () => {
  const deny = oneRole('[{ tools: t }]', '[{ tools: t, when: { claims: { g: x } } }]');
  expect(ask(deny, { tool: 't', ...token({ g: 'x' }) }).reasons[0]).not.toHaveProperty('condition');
  expect(ask(deny, { tool: 't', ...token({ g: 5 }) }).reasons[0]).toMatchObject({
    code: 'denied-by-rule',
    condition: 'claims.g',
  });
});

it('claims in a list: all of them for an allow rule, any for a deny rule', () => {
  const claims = '{ claims: { "orgs[*].name": { prefix: acme } } }';
  const allow = oneRole(`[{ tools: t, when: ${claims} }]`);
  const deny = oneRole('[{ tools: t }]', `[{ tools: t, when: ${claims} }]`);
  const effects = (...names: readonly string[]) =>
    [allow, deny].map(
      (policy) => ask(policy, { tool: 't', ...token({ orgs: names.map((name) => ({ name })) }) }).effect,
    );
  expect(effects('acme-a', 'acme-b')).toEqual(['allow', 'deny']);
  expect(effects('acme-a', 'other')).toEqual(['deny', 'deny']);
  expect(effects('other', 'x')).toEqual(['deny', 'allow']);
});

it('claims of null, of mixed types and of URLs are what they are', () => {
  const effect = (claims: string, given: Record<string, unknown>) =>
    ask(oneRole(`[{ tools: t, when: { claims: ${claims} } }]`), { tool: 't', ...token(given) }).effect;
  expect(effect('{ g: null }', { g: null })).toBe('allow');
  expect(effect('{ g: null }', { g: 'x' })).toBe('deny');
  expect(effect('{ g: null }', {})).toBe('deny');
  expect(effect('{ g: [x, 5] }', { g: 5 })).toBe('allow');
  expect(effect('{ g: [x, 5] }', { g: ['y', 5] })).toBe('allow');
  expect(effect('{ g: [x, 5] }', { g: '5' })).toBe('deny');
  expect(effect('{ "http://idp.example/g": x }', { 'http://idp.example/g': 'x' })).toBe('allow');
  const deny = oneRole('[{ tools: t }]', '[{ tools: t, when: { claims: { g: x } } }]');
  for (const g of [null, 5, true, {}, [[]]]) {
    expect(ask(deny, { tool: 't', ...token({ g }) }).effect, JSON.stringify(g)).toBe('deny');
  }
  expect(ask(deny, { tool: 't', ...token({ g: ['y', 'z'] }) }).effect).toBe('allow');
});
