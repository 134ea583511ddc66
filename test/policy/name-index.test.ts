import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NameIndex } from '../../src/policy/name-index.ts';
import { compilePattern } from '../../src/policy/pattern.ts';

const part = fc.constantFrom('a', 'b', 'ab', 'ba', 'abc');
const text = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(''));
const pattern = fc
  .array(fc.oneof(part, fc.constant('*')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));

it('finds exactly the patterns that match, whatever the others are', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(pattern, { maxLength: 20 }),
      fc.array(text, { minLength: 1 }),
      (patterns, names) => {
        const index = new NameIndex<string>();
        for (const one of patterns) index.add(compilePattern(one, undefined), one);
        for (const name of names) {
          const found: string[] = [];
          index.find(name, found);
          expect(found.sort()).toEqual(
            patterns.filter((one) => compilePattern(one, undefined).matches(name)).sort(),
          );
        }
      },
    ),
    { numRuns: 2000 },
  );
});

it('tries only patterns whose beginning is the beginning of the name', () => {
  const index = new NameIndex<number>();
  for (let i = 0; i < 1000; i++) index.add(compilePattern(`tool${i}_*`, undefined), i);
  const tally = { patterns: 0 };
  const found: number[] = [];
  index.find('tool77_x', found, tally);
  expect(found).toEqual([77]);
  expect(tally.patterns).toBe(1);
});

it('finds patterns whose beginnings part ways anywhere', () => {
  // In both orders: whichever comes first is split by the other.
  const patterns = [
    '*',
    'a*',
    'ab*',
    'abc*',
    'abd*',
    'abc',
    'ab',
    'b*',
    'abcdef*',
    'abcxyz*',
    'abc*c',
    'é*',
    'ab',
  ];
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['', ['*']],
    ['a', ['*', 'a*']],
    ['ab', ['*', 'a*', 'ab', 'ab', 'ab*']],
    ['abc', ['*', 'a*', 'ab*', 'abc', 'abc*']],
    ['abcc', ['*', 'a*', 'ab*', 'abc*', 'abc*c']],
    ['abcdef', ['*', 'a*', 'ab*', 'abc*', 'abcdef*']],
    ['abcdeg', ['*', 'a*', 'ab*', 'abc*']],
    ['abcxyz1', ['*', 'a*', 'ab*', 'abc*', 'abcxyz*']],
    ['abd', ['*', 'a*', 'ab*', 'abd*']],
    ['b', ['*', 'b*']],
    ['é1', ['*', 'é*']],
    ['B', ['*']],
  ];
  for (const order of [patterns, [...patterns].reverse(), [...patterns].sort()]) {
    const index = new NameIndex<string>();
    for (const one of order) index.add(compilePattern(one, undefined), one);
    for (const [name, expected] of rows) {
      const found: string[] = [];
      index.find(name, found);
      expect(found.sort(), name).toEqual([...expected].sort());
    }
  }
});

it('finds an item as often as its patterns match, and keeps what was found before', () => {
  const index = new NameIndex<string>();
  for (const one of ['x', 'x', 'x*', '*x']) index.add(compilePattern(one, undefined), 'item');
  const found = ['earlier'];
  index.find('x', found);
  expect(found).toEqual(['earlier', 'item', 'item', 'item', 'item']);
  index.find('y', found);
  expect(found).toHaveLength(5);
});
