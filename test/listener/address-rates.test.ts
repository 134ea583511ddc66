import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressRates } from '../../src/listener/address-rates.ts';

const paced = (count: number, periodMs: number, burst: number) => ({ rate: { count, periodMs }, burst });
const second = 1_000_000;

describe('rates before anybody is known', () => {
  it('let a burst of one address pass, then one at a time, and say when', () => {
    const rates = new AddressRates(paced(1000, 1000, 1000), paced(10, 1000, 3));
    expect([1, 2, 3].map(() => rates.take('a', 0))).toEqual([undefined, undefined, undefined]);
    expect(rates.take('a', 0)).toEqual({ by: 'address', retryAfterMs: 100 });
    expect(rates.take('b', 0)).toBeUndefined();
    expect(rates.take('a', 99_999)).toMatchObject({ by: 'address' });
    expect(rates.take('a', 100_000)).toBeUndefined();
  });

  it('hold in all for whatever addresses', () => {
    const rates = new AddressRates(paced(1, 1000, 5), paced(1000, 1000, 1000));
    const answers = Array.from({ length: 9 }, (_, index) => rates.take(`a${index}`, 0));
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(5);
    expect(answers.at(-1)).toEqual({ by: 'all', retryAfterMs: 1000 });
  });

  it('count an address that many share in all only', () => {
    const rates = new AddressRates(paced(1, 1000, 50), paced(1, 1000, 1));
    const answers = Array.from({ length: 51 }, () => rates.take(undefined, 0));
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(50);
    expect(answers.at(-1)).toMatchObject({ by: 'all' });
    expect(rates.size).toBe(0);
  });

  it('charge nothing for what they refuse: knocking on does not keep anybody out', () => {
    const rates = new AddressRates(paced(100, 1000, 100), paced(1, 1000, 1));
    rates.take('a', 0);
    for (let at = 1; at < second; at += 1000) rates.take('a', at);
    expect(rates.take('a', second)).toBeUndefined();
    // Nor is the rate in all used up by an address that is refused.
    for (let n = 0; n < 1000; n += 1) rates.take('a', second);
    expect(rates.take('b', second)).toBeUndefined();
  });

  it('count those who are known apart: strangers cannot use up what they have', () => {
    const rates = new AddressRates(paced(1, 1000, 5), paced(100, 1000, 100));
    for (let n = 0; n < 5; n += 1) expect(rates.take(`stranger${n}`, 0)).toBeUndefined();
    expect(rates.take('stranger5', 0)).toMatchObject({ by: 'all' });
    for (let n = 0; n < 5; n += 1) expect(rates.take('known', 0, true)).toBeUndefined();
    expect(rates.take('known', 0, true)).toMatchObject({ by: 'all' });
    // Nor the other way round.
    expect(rates.take('stranger6', second)).toBeUndefined();
    expect(rates.take('known', second, true)).toBeUndefined();
  });

  it('remember at most so many of 100,000 addresses, and forget those whose time is over', () => {
    const rates = new AddressRates(paced(1_000_000, 1000, 1_000_000), paced(1, 1000, 2), 5000);
    for (let index = 0; index < 100_000; index += 1) rates.take(`a${index}`, 0);
    expect(rates.size).toBe(5000);
    // The last ones are those that are remembered.
    expect(rates.take('a99999', 0)).toBeUndefined();
    expect(rates.take('a99999', 0)).toMatchObject({ by: 'address' });
    for (let index = 0; index < 2600; index += 1) rates.take('one', 3 * second + index * second);
    expect(rates.size).toBe(1);
  });

  it('never admit more than the burst and the rate, whenever whoever comes', () => {
    const arrivals = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 200_000 })),
      {
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 20 }), (steps, burst) => {
        const rates = new AddressRates(paced(50, 1000, 30), paced(10, 1000, burst));
        let now = 0;
        let all = 0;
        const each = [0, 0, 0, 0];
        for (const [who, wait] of steps) {
          now += wait;
          if (rates.take(`a${who}`, now) !== undefined) continue;
          all += 1;
          each[who]! += 1;
          expect(all).toBeLessThanOrEqual(30 + (now / second) * 50);
          expect(each[who]).toBeLessThanOrEqual(burst + (now / second) * 10);
        }
      }),
    );
  });
});
