import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unit } from '../../src/limits/contract.ts';
import { askGcra, gcraRate } from '../../src/limits/gcra.ts';
import { missingCalls, type TimedCall } from './missing-calls.ts';

const perSecond = 100;
const burst = 50;
const exact = { perSecond, burst, lost: 0 };

interface Arrival {
  /** Milliseconds since the one before. */
  readonly after: number;
  /** On the way there, and back. */
  readonly there: number;
  readonly back: number;
  /** Decided without the store, though it was charged. */
  readonly late: boolean;
}

const arrivals: fc.Arbitrary<readonly Arrival[]> = fc.array(
  fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 800 })),
    there: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 500 })),
    back: fc.integer({ min: 0, max: 50 }),
    late: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  }),
  { minLength: 100, maxLength: 400 },
);

/** What a store says that admits `count` a second, asked in the order in which calls come to it. */
function decide(given: readonly Arrival[], count: number): TimedCall[] {
  const rate = gcraRate(count, 1000, burst);
  let begun = 0;
  const calls = given.map(({ after, there, back, late }) => {
    begun += after;
    return { begun, decided: begun + there, ended: begun + there + back, late };
  });
  let tat: number | undefined;
  return calls
    .sort((a, b) => a.decided - b.decided)
    .map(({ begun, decided, ended, late }) => {
      const answer = askGcra(tat, decided * 1000, rate, unit);
      if (answer.admit) tat = answer.tat;
      return { begun, ended, outcome: !answer.admit ? 'refused' : late ? 'unknown' : 'admitted' };
    });
}

describe('calls that one process would have admitted', () => {
  it('are never missing where it is one that counts, however long calls are on their way', () => {
    fc.assert(
      fc.property(arrivals, (given) => {
        expect(missingCalls(decide(given, perSecond), exact)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['at once', 0],
    ['a tenth of a second later', 100],
  ])('are missing where nine tenths of the rate are admitted, and calls are answered %s', (_, back) => {
    const given = Array.from({ length: 2000 }, () => ({ after: 5, there: 0, back, late: false }));
    const missing = missingCalls(decide(given, 90), exact);
    // Ten seconds less the burst and what is on its way: a tenth of some 950.
    expect(missing).toBeGreaterThan(50);
    expect(missing).toBeLessThan(100);
  });
});
