import { describe, expect, it } from 'vitest';
import type { ClaimTest } from '../../src/policy/conditions/options.ts';
import { imagineClaims, isPlainTest } from '../../src/policy/imagine-claims.ts';

const of = (tests: Record<string, ClaimTest>) => imagineClaims(tests, 'anything');

describe('imagined claims', () => {
  it.each<[string, ClaimTest, readonly unknown[]]>([
    ['a text is itself', 'a', ['a']],
    ['a number is itself', 7, [7]],
    ['null is itself', null, [null]],
    ['each value of a list is tried', ['a', 'b'], ['a', 'b']],
    ['each of several is tried', { oneOf: ['a', 1] }, ['a', 1]],
    ['what is to be equal is itself', { equals: 'a' }, ['a']],
    ['what is to be contained is the one member of a list', { contains: 'a' }, [['a']]],
    ['a prefix goes on', { prefix: 'dev-' }, ['dev-anything']],
    ['the smallest number will do', { min: 3 }, [3]],
    ['the smallest number rather than the largest', { min: 3, max: 9 }, [3]],
    ['zero is a smallest number', { min: 0, max: 9 }, [0]],
    ['the largest number where there is no smallest', { max: 9 }, [9]],
    ['the shortest text will do', { minLength: 4 }, ['xxxx']],
    ['the shortest text has at most a thousand characters', { minLength: 5000 }, ['x'.repeat(1000)]],
    ['what is only to be there is any text', { present: true }, ['anything']],
    ['a text is no longer than it may be', { maxLength: 3 }, ['any']],
    ['a text that is to be there is no longer than it may be', { present: true, maxLength: 3 }, ['any']],
  ])('%s', (_title, test, values) => {
    expect(of({ claim: test })).toEqual(values.map((claim) => ({ claim })));
  });

  it.each<[string, string, ClaimTest]>([
    ['is to be absent', 'claim', { present: false }],
    ['is to fit a regular expression', 'claim', { regex: 'a+' } as ClaimTest],
    ['is any member of a list', 'groups[*]', 'a'],
    ['is one member of a list', 'groups[0]', 'a'],
    ['has no path that can be read', 'a..b', 'a'],
  ])('leave out what %s, and keep the others', (_title, name, test) => {
    expect(of({ [name]: test, tenant: 't' })).toEqual([{ tenant: 't' }]);
  });

  it('are none at all where nothing is asked', () => {
    expect(of({})).toEqual([{}]);
  });

  it('hold members of members together', () => {
    expect(of({ 'org.team': 'a', 'org.unit.id': 1, 'org.unit.name': 'u' })).toEqual([
      { org: { team: 'a', unit: { id: 1, name: 'u' } } },
    ]);
  });

  it('hold a name that is a URL as one member', () => {
    expect(of({ 'https://idp.example/role': 'a' })).toEqual([{ 'https://idp.example/role': 'a' }]);
  });

  it('are every combination of the values of several claims', () => {
    expect(of({ a: [1, 2], b: ['x', 'y'] })).toEqual([
      { a: 1, b: 'x' },
      { a: 1, b: 'y' },
      { a: 2, b: 'x' },
      { a: 2, b: 'y' },
    ]);
  });

  it('are every combination up to 64 of them', () => {
    const eight = [0, 1, 2, 3, 4, 5, 6, 7];
    expect(of({ a: eight, b: eight })).toHaveLength(64);
  });

  it('vary one claim at a time where there are more than 64 combinations', () => {
    const many = Array.from({ length: 33 }, (_, index) => index);
    const sets = of({ a: many, b: ['x', 'y'] });
    expect(sets).toEqual([...many.map((a) => ({ a, b: 'x' })), { a: 0, b: 'x' }, { a: 0, b: 'y' }]);
  });
});

describe('a test that imagined claims ask wholly', () => {
  it.each<[string, ClaimTest, boolean]>([
    ['claim', 'a', true],
    ['claim', 7, true],
    ['claim', null, true],
    ['claim', ['a', 'b'], true],
    ['org.team', 'a', true],
    ['claim', { prefix: 'a' }, false],
    ['claim', { equals: 'a' }, false],
    ['groups[0]', 'a', false],
    ['a..b', 'a', false],
  ])('%s with %j: %s', (name, test, plain) => {
    expect(isPlainTest(name, test)).toBe(plain);
  });
});
