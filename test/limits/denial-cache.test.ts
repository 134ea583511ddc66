import { describe, expect, it } from 'vitest';
import { type Claim, unit } from '../../src/limits/contract.ts';
import { createDenialCache } from '../../src/limits/denial-cache.ts';
import { gcraRate } from '../../src/limits/gcra.ts';

const claim: Claim = {
  limit: 'rate',
  key: 'a',
  measure: gcraRate(1, 1000, 5),
  amount: 2 * unit,
  enforced: true,
  onStoreLoss: 'local',
};

describe('refusals that are remembered', () => {
  it('are repeated until their time is over, with the time that is left', () => {
    const denials = createDenialCache(10);
    denials.note(claim, 500_000, 1_000_000);
    expect(denials.find(claim, 1_100_000)).toEqual({ claim, retryAfterMs: 400 });
    expect(denials.find(claim, 1_499_999)).toEqual({ claim, retryAfterMs: 1 });
    expect(denials.find(claim, 1_500_000)).toBeUndefined();
  });

  it('hold for what costs as much or more, and not for less', () => {
    const denials = createDenialCache(10);
    denials.note(claim, 500_000, 0);
    expect(denials.find({ ...claim, amount: 3 * unit }, 0)).toMatchObject({ retryAfterMs: 1500 });
    expect(denials.find({ ...claim, amount: unit }, 0)).toBeUndefined();
    expect(denials.find({ ...claim, key: 'b' }, 0)).toBeUndefined();
  });

  it('say nothing of a limit that a reload has changed', () => {
    const denials = createDenialCache(10);
    denials.note(claim, 500_000, 0);
    expect(denials.find({ ...claim, measure: gcraRate(2, 1000, 5) }, 0)).toBeUndefined();
  });

  it('are asked about again after a minute', () => {
    const denials = createDenialCache(10);
    const quota = { ...claim, measure: { kind: 'window', period: 'month', most: 10 * unit } as const };
    denials.note(quota, 86_400_000_000, 0);
    expect(denials.find(quota, 59_999_999)).toMatchObject({ retryAfterMs: 86_340_001 });
    expect(denials.find(quota, 60_000_000)).toBeUndefined();
  });

  it('know without being told what is more than there ever is', () => {
    const denials = createDenialCache(10);
    expect(denials.find({ ...claim, amount: 6 * unit }, 0)).toMatchObject({ retryAfterMs: undefined });
    const places: Claim = { ...claim, measure: { kind: 'places', most: 0 } };
    denials.note(places, 500_000, 0);
    expect(denials.find(places, 0)).toBeUndefined();
  });

  it('are so many at most', () => {
    const denials = createDenialCache(2);
    for (const key of ['a', 'b', 'c']) denials.note({ ...claim, key }, 500_000, 0);
    expect(denials.size).toBe(2);
    expect(denials.find(claim, 0)).toBeUndefined();
    expect(denials.find({ ...claim, key: 'c' }, 0)).toBeDefined();
  });
});
