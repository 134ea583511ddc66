import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastLoaded } from '../../src/upstream/balance.ts';

/** Numbers from 0 up to 1 that come out the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe('least loaded of two', () => {
  it('gives a place, and never that of the one with most to do unless both that were picked have as much', () => {
    const loads = fc.array(fc.nat(1000), { minLength: 1, maxLength: 32 });
    fc.assert(
      fc.property(loads, fc.integer(), (given, seed) => {
        const place = leastLoaded(given, numbers(seed));
        expect(given[place]).toBeDefined();
        const most = Math.max(...given);
        const isMostAlone = given.filter((load) => load === most).length === 1;
        if (given.length > 1 && isMostAlone) expect(given[place]).toBeLessThan(most);
      }),
    );
  });

  it('spreads calls that all take as long evenly', () => {
    const loads = [0, 0, 0, 0];
    const random = numbers(42);
    for (let call = 0; call < 4000; call += 1) loads[leastLoaded(loads, random)]! += 1;
    for (const load of loads) expect(Math.abs(load - 1000)).toBeLessThan(20);
  });

  it('spreads calls evenly where nobody has anything to do', () => {
    const random = numbers(7);
    const got = [0, 0, 0];
    for (let call = 0; call < 3000; call += 1) got[leastLoaded([0, 0, 0], random)]! += 1;
    for (const count of got) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('keeps away from the one whose calls hang', () => {
    const random = numbers(3);
    // It keeps what it gets; the other two are done at once.
    const loads = [0, 0, 0];
    for (let call = 0; call < 1000; call += 1) {
      const place = leastLoaded(loads, random);
      if (place === 0) loads[0]! += 1;
    }
    expect(loads[0]).toBeLessThan(10);
  });
});
