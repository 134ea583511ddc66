import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unit } from '../../src/limits/contract.ts';
import { askGcra, chargeUs, gcraRate } from '../../src/limits/gcra.ts';

const rates = fc.record({
  count: fc.integer({ min: 1, max: 1000 }),
  periodMs: fc.constantFrom(1000, 7000, 60_000, 3_600_000),
  burst: fc.integer({ min: 1, max: 50 }),
});
const amounts = fc.oneof(fc.constant(unit), fc.integer({ min: 0, max: 20_000 }));

describe('a rate', () => {
  test('never admits more units than burst + rate * t in any window, however calls arrive', () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(
          // Calls are taken in another order than they began in: some wait longer for what comes before.
          fc.tuple(fc.oneof(fc.constant(0), fc.integer({ min: -2_000_000, max: 5_000_000 })), amounts),
          { maxLength: 120 },
        ),
        ({ count, periodMs, burst }, steps) => {
          const rate = gcraRate(count, periodMs, burst);
          let tat: number | undefined;
          let now = 500_000_000;
          const admitted: { readonly at: number; readonly amount: number }[] = [];
          for (const [gap, amount] of steps) {
            now += gap;
            const answer = askGcra(tat, now, rate, amount);
            if (!answer.admit) continue;
            tat = answer.tat;
            admitted.push({ at: now, amount });
          }
          const times = admitted.map(({ at }) => at);
          for (const from of times) {
            for (const to of times) {
              if (to < from) continue;
              const units = admitted
                .filter(({ at }) => at >= from && at <= to)
                .reduce((sum, { amount }) => sum + amount / unit, 0);
              expect(units).toBeLessThanOrEqual(burst + ((to - from) * count) / (periodMs * 1000) + 1e-9);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('tells the exact wait: that many milliseconds admit, one less does not', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 10_000_000 }), ({ count, periodMs, burst }, start) => {
        const rate = gcraRate(count, periodMs, burst);
        let tat: number | undefined;
        for (let call = 0; call < burst; call++) {
          const answer = askGcra(tat, start, rate);
          expect(answer.admit).toBe(true);
          if (answer.admit) tat = answer.tat;
        }
        const refused = askGcra(tat, start, rate);
        if (refused.admit || refused.retryAfterMs === undefined) throw new Error('admitted');
        expect(askGcra(tat, start + refused.retryAfterMs * 1000, rate).admit).toBe(true);
        expect(askGcra(tat, start + (refused.retryAfterMs - 1) * 1000, rate).admit).toBe(false);
      }),
    );
  });

  test('asking changes nothing', () => {
    const rate = gcraRate(1, 1000, 1);
    expect(askGcra(undefined, 5, rate)).toEqual({ admit: true, tat: 1_000_005 });
    expect(askGcra(undefined, 5, rate)).toEqual({ admit: true, tat: 1_000_005 });
  });

  test('stays correct for a clock that reads a little behind', () => {
    const rate = gcraRate(1, 1000, 1);
    expect(askGcra(1_000_005, 0, rate)).toEqual({ admit: false, retryAfterMs: 1001 });
  });

  test('never admits what costs more than the whole burst, and says so by no wait', () => {
    const rate = gcraRate(10, 1000, 5);
    expect(askGcra(undefined, 0, rate, 5 * unit).admit).toBe(true);
    expect(askGcra(undefined, 0, rate, 5 * unit + 1)).toEqual({ admit: false, retryAfterMs: undefined });
    expect(chargeUs(rate, Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });

  test('rounds the cost of parts of a unit up', () => {
    const rate = gcraRate(3, 1000, 3);
    expect(rate.costUs).toBe(333_334);
    expect([0, 1, 500, 1000, 1001].map((amount) => chargeUs(rate, amount))).toEqual([
      0, 334, 166_667, 333_334, 333_668,
    ]);
  });
});
