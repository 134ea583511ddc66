import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance } from '../../src/document/did-you-mean.ts';

describe('didYouMean', () => {
  const known = ['tools', 'resources', 'prompts', 'methods', 'upstreams', 'when'];
  const cases: readonly [string, string | undefined][] = [
    ['tool', 'tools'],
    ['tolos', 'tools'],
    ['Tools', 'tools'],
    ['resuorce', 'resources'],
    ['upstraems', 'upstreams'],
    ['wehn', 'when'],
    ['agents', undefined],
    ['', undefined],
    ['x'.repeat(100), undefined],
  ];
  for (const [written, meant] of cases) {
    it(`${JSON.stringify(written)} -> ${meant}`, () => expect(didYouMean(written, known)).toBe(meant));
  }
});

describe('editDistance', () => {
  const word = fc.string({ maxLength: 8 });
  it('is zero for equal words only, and the same both ways', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
