import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/upstream/evidence.ts';
import { createOutlier } from '../../src/upstream/outlier.ts';

const options = { failures: 5, share: 50, calls: 20, time: 10_000, most: 300_000 };

function setUp() {
  const clock = { now: 0 };
  const outlier = createOutlier(options, () => clock.now);
  const times = (count: number, evidence: Evidence): boolean =>
    Array.from({ length: count }, () => outlier.record(evidence)).some(Boolean);
  return { clock, outlier, times };
}

describe('an endpoint is avoided', () => {
  it('after calls in a row that fail, and is told once', () => {
    const { outlier, times } = setUp();
    expect([times(4, 'failed'), outlier.isEjected()]).toEqual([false, false]);
    expect(outlier.remaining()).toBe(0);
    expect([outlier.record('unreached'), outlier.isEjected()]).toEqual([true, true]);
    expect(outlier.remaining()).toBe(10_000);
    expect(times(100, 'failed')).toBe(false);
  });

  it('where half of its calls fail', () => {
    const { outlier } = setUp();
    const ejecting = Array.from({ length: 30 }, (_, index) =>
      outlier.record(index % 2 === 0 ? 'ok' : 'failed'),
    );
    expect(ejecting.indexOf(true)).toBe(19);
  });

  it('not where fewer fail, nor for what says nothing', () => {
    const { clock, outlier } = setUp();
    for (let index = 0; index < 10_000; index += 1) {
      clock.now += 7;
      outlier.record(index % 3 === 0 ? 'failed' : 'ok');
      outlier.record('neutral');
    }
    expect(outlier.isEjected()).toBe(false);
  });

  it('where it always says at once that it cannot', () => {
    const { outlier, times } = setUp();
    times(5, 'erred');
    expect(outlier.isEjected()).toBe(true);
  });

  it('no longer than until it is readmitted, and longer the next time', () => {
    const { clock, outlier, times } = setUp();
    times(5, 'failed');
    clock.now += 1000;
    outlier.readmit();
    expect(outlier.isEjected()).toBe(false);
    outlier.readmit();
    times(5, 'failed');
    clock.now += 19_999;
    expect(outlier.isEjected()).toBe(true);
    clock.now += 1;
    expect(outlier.isEjected()).toBe(false);
  });

  it('each time twice as long, up to the most, and shortly again after a long time without cause', () => {
    const { clock, outlier, times } = setUp();
    const lasted: number[] = [];
    const eject = (): number => {
      times(5, 'failed');
      const from = clock.now;
      while (outlier.isEjected()) clock.now += 1000;
      return clock.now - from;
    };
    for (let round = 0; round < 7; round += 1) lasted.push(eject());
    expect(lasted).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    clock.now += options.most;
    expect(eject()).toBe(10_000);
  });

  it('never longer than the most, and never without a failure', () => {
    const evidence = fc.constantFrom<Evidence>('ok', 'erred', 'failed', 'unreached', 'neutral');
    const step = fc.record({ evidence, ms: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { clock, outlier } = setUp();
        for (const { evidence: given, ms } of steps) {
          clock.now += ms;
          const ejected = outlier.record(given);
          if (ejected) expect(['erred', 'failed', 'unreached']).toContain(given);
        }
        clock.now += options.most;
        expect(outlier.isEjected()).toBe(false);
      }),
    );
  });
});
