import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, unit } from '../../src/limits/contract.ts';
import { gcraRate } from '../../src/limits/gcra.ts';
import { createLeases, type Leases } from '../../src/limits/leases.ts';

function claimOf(perSecond: number, burst: number): Claim {
  return {
    limit: 'busy',
    key: 'busy',
    measure: gcraRate(perSecond, 1000, burst),
    amount: unit,
    enforced: true,
    onStoreLoss: 'local',
  };
}

/** The script of the store, for one rate. */
class Store {
  #tat = 0;
  readonly #claim: Claim;
  asked = 0;

  constructor(claim: Claim) {
    this.#claim = claim;
  }

  take(want: number, now: number): { fits: boolean; given: number } {
    this.asked += 1;
    const { measure } = this.#claim;
    if (measure.kind !== 'rate') throw new TypeError('not a rate');
    const full = measure.toleranceUs + measure.costUs;
    const tat = Math.max(this.#tat, now);
    if (tat + measure.costUs - full > now) return { fits: false, given: 0 };
    const after = tat + measure.costUs;
    const given = Math.max(0, Math.min(want, Math.floor((full - (after - now)) / measure.costUs)));
    this.#tat = after + given * measure.costUs;
    return { fits: true, given };
  }
}

function call(claim: Claim, leases: Leases, store: Store, now: number): boolean {
  if (leases.spend([claim], now)) return true;
  const want = leases.want(claim, now);
  const { fits, given } = store.take(want, now);
  if (want > 0) leases.got(claim, given, now);
  return fits;
}

describe('leases', () => {
  it('let several processes admit in any second at most the rate, its burst and 2 %', () => {
    const step = fc.record({
      replica: fc.nat(3),
      after: fc.integer({ min: 0, max: 3000 }),
      calls: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(200, 1000, 5000),
        fc.constantFrom(1, 20, 200),
        fc.array(step, { minLength: 50, maxLength: 600 }),
        (perSecond, burst, steps) => {
          const claim = claimOf(perSecond, burst);
          const store = new Store(claim);
          const replicas = [0, 1, 2, 3].map(() => createLeases(4, 10));
          const admitted: number[] = [];
          let now = 1_000_000_000;
          for (const { replica, after, calls } of steps) {
            now += after;
            for (let index = 0; index < calls; index += 1)
              if (call(claim, replicas[replica]!, store, now)) admitted.push(now);
          }
          const most = perSecond * 1.02 + burst;
          for (let first = 0, last = 0; last < admitted.length; last += 1) {
            while (admitted[last]! - admitted[first]! >= 1_000_000) first += 1;
            expect(last - first + 1).toBeLessThanOrEqual(most);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('admit within 2 % what one process would, where all ask more than there is', () => {
    const claim = claimOf(1000, 100);
    const store = new Store(claim);
    const replicas = [0, 1, 2, 3].map(() => createLeases(4, 10));
    let admitted = 0;
    const seconds = 20;
    for (let now = 0; now < seconds * 1_000_000; now += 500)
      if (call(claim, replicas[(now / 500) % 4]!, store, now)) admitted += 1;
    expect(admitted).toBeGreaterThanOrEqual(seconds * 1000 * 0.98);
    expect(admitted).toBeLessThanOrEqual(seconds * 1000 * 1.02 + 100);
  });

  it('save questions about a busy rate that is not used up', () => {
    const claim = claimOf(2000, 200);
    const store = new Store(claim);
    const leases = createLeases(2, 10);
    let admitted = 0;
    for (let now = 0; now < 5_000_000; now += 1000) if (call(claim, leases, store, now)) admitted += 1;
    expect(admitted).toBe(5000);
    expect(store.asked).toBeLessThan(1000);
  });

  it('take nothing in advance for a rate whose 20 ms are less than a unit, nor for a key that is not busy', () => {
    const leases = createLeases(2, 10);
    for (let call = 0; call < 100; call += 1) expect(leases.want(claimOf(90, 10), call * 1000)).toBe(0);
    expect(createLeases(2, 10).want(claimOf(2000, 10), 0)).toBe(0);
  });

  it('end after a second, and what was left of them is lost', () => {
    const claim = claimOf(1000, 10);
    const leases = createLeases(1, 10);
    for (let call = 0; call < 100; call += 1) leases.got(claim, 0, leases.want(claim, 0));
    leases.got(claim, 5, 0);
    expect(leases.covers(claim, 999_999)).toBe(true);
    expect(leases.covers(claim, 1_000_000)).toBe(false);
    expect(leases.spend([claim], 1_000_000)).toBe(false);
  });

  it('hold no more than their part, whatever late answers bring', () => {
    const claim = claimOf(1000, 10);
    const leases = createLeases(2, 10);
    leases.want(claim, 0);
    leases.got(claim, 10, 0);
    leases.got(claim, 10, 0);
    let served = 0;
    while (leases.spend([claim], 1)) served += 1;
    expect(served).toBe(10);
  });

  it('charge all claims of a call or none', () => {
    const claim = claimOf(1000, 10);
    const other = { ...claim, key: 'other' };
    const leases = createLeases(1, 10);
    leases.want(claim, 0);
    leases.got(claim, 1, 0);
    expect(leases.spend([claim, other], 1)).toBe(false);
    expect(leases.covers(claim, 1)).toBe(true);
  });

  it('remember so many keys, and ask one by one for the others', () => {
    const leases = createLeases(1, 2);
    for (const key of ['a', 'b', 'c']) leases.want({ ...claimOf(1000, 10), key }, 0);
    expect(leases.size).toBe(2);
    leases.want({ ...claimOf(1000, 10), key: 'd' }, 5_000_000);
    expect(leases.size).toBeLessThanOrEqual(2);
  });
});
