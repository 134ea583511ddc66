import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askGcra, gcraRate } from '../../src/filters/gcra.ts';
import { createRateStore } from '../../src/filters/rate-store.ts';

const rates = fc.record({
  count: fc.integer({ min: 1, max: 1000 }),
  periodMs: fc.constantFrom(1000, 7000, 60_000, 3_600_000),
  burst: fc.integer({ min: 1, max: 50 }),
});

describe('a rate', () => {
  test('never admits more than burst + rate * t in any window, however calls arrive', () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000_000 })), { maxLength: 120 }),
        ({ count, periodMs, burst }, gaps) => {
          const rate = gcraRate(count, periodMs, burst);
          let tat: number | undefined;
          let now = 12_345;
          const admitted: number[] = [];
          for (const gap of gaps) {
            now += gap;
            const answer = askGcra(tat, now, rate);
            if (!answer.admit) continue;
            tat = answer.tat;
            admitted.push(now);
          }
          for (let first = 0; first < admitted.length; first++) {
            for (let last = first; last < admitted.length; last++) {
              const spanUs = admitted[last]! - admitted[first]!;
              expect(last - first + 1).toBeLessThanOrEqual(burst + (spanUs * count) / (periodMs * 1000));
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
        expect(refused.admit).toBe(false);
        if (refused.admit) return;
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
});

describe('the store of a rate', () => {
  test('forgets keys whose time has passed to make room, and no others', () => {
    const store = createRateStore(3);
    store.set('past', 100);
    store.set('soon', 300);
    store.set('later', 900);
    expect(store.hasRoom(['new'], 200)).toBe(true);
    expect(store.get('past')).toBeUndefined();
    expect(store.get('soon')).toBe(300);
    store.set('new', 1_000_000);
    expect(store.hasRoom(['newer'], 210)).toBe(false);
    expect(store.hasRoom(['new', 'later'], 210)).toBe(true);
    expect(store.size).toBe(3);
  });

  test('asks for room for every new key of one call', () => {
    const store = createRateStore(2);
    store.set('one', 1_000_000);
    expect(store.hasRoom(['two'], 0)).toBe(true);
    expect(store.hasRoom(['two', 'three'], 0)).toBe(false);
  });
});
