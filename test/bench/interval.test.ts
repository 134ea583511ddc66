import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRate, wilson } from '../../bench/content/interval.ts';

describe('the 95 % interval of a rate', () => {
  it.each([
    [0, 10, 0, 0.2775],
    [0, 1000, 0, 0.003827],
    [1, 10, 0.017876, 0.40415],
    [5, 10, 0.236593, 0.763407],
    [10, 10, 0.722467, 1],
    [81, 263, 0.255298, 0.366212],
  ])('of %i in %i', (hits, trials, low, high) => {
    const [from, to] = wilson(hits, trials);
    expect(from).toBeCloseTo(low, 3);
    expect(to).toBeCloseTo(high, 3);
  });

  it('knows nothing without trials', () => {
    expect(wilson(0, 0)).toEqual([0, 1]);
    expect(formatRate(0, 0)).toBe('-');
  });

  it('holds the rate, and narrows with more trials', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 1000 }), (some, trials) => {
        const hits = some % (trials + 1);
        const [low, high] = wilson(hits, trials);
        const [nearer, farther] = wilson(hits * 10, trials * 10);
        expect(low).toBeLessThanOrEqual(hits / trials);
        expect(high).toBeGreaterThanOrEqual(hits / trials);
        expect(farther - nearer).toBeLessThan(high - low);
      }),
    );
  });
});
