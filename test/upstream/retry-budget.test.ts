import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../src/upstream/retry-budget.ts';

describe('a retry budget', () => {
  it('pays for some retries where there are few calls', () => {
    const clock = { now: 0 };
    const budget = createRetryBudget({ share: 20, perSecond: 3 }, () => clock.now);
    const paid = (): number =>
      Array.from({ length: 100 }, () => budget.spend('connect')).filter(Boolean).length;
    expect(paid()).toBe(30);
    expect(paid()).toBe(0);
    clock.now += 1000;
    expect(paid()).toBe(3);
    clock.now += 1_000_000;
    expect(paid()).toBe(30);
  });

  it('pays for a share of many calls', () => {
    const budget = createRetryBudget({ share: 20, perSecond: 0 }, () => 0);
    let paid = 0;
    for (let call = 0; call < 10_000; call += 1) {
      budget.earn();
      if (budget.spend('connect')) paid += 1;
    }
    expect(paid).toBe(2000);
  });

  it('keeps something for connections that do not come about, however many reads a caller knows to have cut off', () => {
    const clock = { now: 0 };
    const budget = createRetryBudget({ share: 20, perSecond: 3 }, () => clock.now);
    for (let second = 0; second < 60; second += 1) {
      for (let call = 0; call < 1000; call += 1) {
        budget.earn();
        budget.spend('reread');
      }
      // An endpoint dies: three calls of others find nobody there.
      expect([1, 2, 3].map(() => budget.spend('connect'))).toEqual([true, true, true]);
      clock.now += 1000;
    }
  });

  it('pays for reads where nothing else is asked of it', () => {
    const clock = { now: 0 };
    const budget = createRetryBudget({ share: 20, perSecond: 3 }, () => clock.now);
    const paid = (): number =>
      Array.from({ length: 100 }, () => budget.spend('reread')).filter(Boolean).length;
    expect(paid()).toBe(15);
    clock.now += 1000;
    expect(paid()).toBe(3);
    for (let call = 0; call < 100; call += 1) budget.earn();
    expect(paid()).toBe(20);
  });

  it('pays for none where none are wanted', () => {
    const clock = { now: 0 };
    const budget = createRetryBudget({ share: 0, perSecond: 0 }, () => clock.now);
    for (let call = 0; call < 100; call += 1) {
      clock.now += 1000;
      budget.earn();
      expect(budget.spend('connect')).toBe(false);
    }
  });

  it('is never overdrawn, over any stretch of calls and time', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) }),
      fc.record({ kind: fc.constant('earn' as const) }),
      fc.record({
        kind: fc.constant('spend' as const),
        why: fc.constantFrom('connect' as const, 'reread' as const),
      }),
    );
    const options = fc.record({ share: fc.nat(100), perSecond: fc.nat(20) });
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 400 }), ({ share, perSecond }, steps) => {
        const clock = { now: 0 };
        const budget = createRetryBudget({ share, perSecond }, () => clock.now);
        const history: { at: number; kind: 'earn' | 'paid' }[] = [];
        for (const { kind, ...rest } of steps) {
          if (kind === 'wait' && 'ms' in rest) clock.now += rest.ms;
          if (kind === 'earn') {
            budget.earn();
            history.push({ at: clock.now, kind: 'earn' });
          }
          if (kind === 'spend' && 'why' in rest && budget.spend(rest.why))
            history.push({ at: clock.now, kind: 'paid' });
        }
        for (let from = 0; from < history.length; from += 7) {
          const part = history.slice(from);
          const paid = part.filter((entry) => entry.kind === 'paid').length;
          const earned = part.length - paid;
          const seconds = (part.at(-1)!.at - part[0]!.at) / 1000;
          const saved = 100 + perSecond * 10;
          expect(paid).toBeLessThanOrEqual((earned * share) / 100 + seconds * perSecond + saved + 1e-6);
        }
      }),
    );
  });
});
