import { describe, expect, it } from 'vitest';
import type { Backlog } from '../../src/overload/admission-queue.ts';
import { overloadOptions } from '../../src/overload/options.ts';
import { type Sheddable, Shedder, shedOrder } from '../../src/overload/shedder.ts';

const noLine: Backlog = {
  waiting: 0,
  callers: { oldestMs: 0, expectedMs: 0 },
  strangers: { oldestMs: 0, expectedMs: 0 },
  low: { oldestMs: 0, expectedMs: 0 },
  upTo: () => 0,
};

/** A shedder whose level is set by how much is under way. */
function shedderAt(level: number, random: () => number = () => 0.5): Shedder {
  const shedder = new Shedder(overloadOptions.parse({ inFlight: 1000 }), random, noLine);
  for (let entered = 0; entered < Math.round((0.5 + level / 10) * 1000); entered += 1) shedder.enter();
  return shedder;
}

function shedAt(level: number, random?: () => number): readonly Sheddable[] {
  const shedder = shedderAt(level, random);
  return shedOrder.filter((kind) => shedder.sheds(kind, 'callers'));
}

describe('the order in which work is refused', () => {
  for (const [level, shed] of [
    [0, []],
    [1, ['session']],
    [2, ['session', 'list']],
    [3, ['session', 'list', 'call-low']],
    [4, ['session', 'list', 'call-low', 'call-normal']],
  ] as const) {
    it(`refuses ${shed.length === 0 ? 'nothing' : shed.join(', ')} at level ${level}`, () => {
      expect(shedAt(level)).toEqual(shed);
    });
  }

  it('refuses the next kind in part between two levels, and none of the kind after it', () => {
    expect(shedAt(1.5, () => 0.4)).toEqual(['session', 'list']);
    expect(shedAt(1.5, () => 0.6)).toEqual(['session']);
    let turn = 0;
    const shedder = shedderAt(3.3, () => (turn++ % 100) / 100);
    const refused = Array.from({ length: 1000 }, () => shedder.sheds('call-normal', 'callers')).filter(
      Boolean,
    ).length;
    expect(refused).toBeGreaterThanOrEqual(290);
    expect(refused).toBeLessThanOrEqual(310);
  });
});

describe('what is under way', () => {
  it('is bounded: at the bound nobody is let in, and one that leaves makes room', () => {
    const shedder = new Shedder(overloadOptions.parse({ inFlight: 16 }), Math.random, noLine);
    for (let entered = 0; entered < 15; entered += 1) shedder.enter();
    expect(shedder.full).toBe(false);
    shedder.enter();
    expect(shedder.full).toBe(true);
    shedder.leave();
    expect(shedder.full).toBe(false);
  });

  it('counts no stream that stays open, until it ends', () => {
    const shedder = new Shedder(overloadOptions.parse({}), Math.random, noLine);
    shedder.enter();
    shedder.leave();
    expect(shedder.underWay).toBe(0);
    shedder.comeBack();
    shedder.leave();
    expect(shedder.underWay).toBe(0);
  });
});

describe('a line', () => {
  const lineOf = (expectedMs: number, waiting: number): Backlog => ({
    waiting,
    callers: { oldestMs: 0, expectedMs },
    strangers: { oldestMs: 0, expectedMs },
    low: { oldestMs: 0, expectedMs },
    upTo: (rank) => (rank === 'high' ? 0 : waiting),
  });

  it('asks for a level before anybody has waited in it', () => {
    for (const [expectedMs, shed] of [
      [900, 0],
      [1200, 1],
      [1700, 3],
      [5000, 4],
    ] as const) {
      const shedder = new Shedder(overloadOptions.parse({}), () => 0.5, lineOf(expectedMs, 500));
      expect(shedOrder.filter((kind) => shedder.sheds(kind, 'callers'))).toHaveLength(shed);
    }
  });

  it('is bounded as what is under way is, by those who come first', () => {
    const options = overloadOptions.parse({ inFlight: 16, wait: 'off' });
    const room = new Shedder(options, Math.random, lineOf(0, 15));
    expect([room.isCalm, room.lineIsFull('unknown')]).toEqual([true, false]);
    const none = new Shedder(options, Math.random, lineOf(0, 16));
    expect([none.isCalm, none.lineIsFull('unknown'), none.lineIsFull('high')]).toEqual([false, true, false]);
    expect(none.full).toBe(false);
  });

  it('raises the level while it is worked off too slowly', () => {
    const waits = { ...noLine, waiting: 50, callers: { oldestMs: 900, expectedMs: 0 } };
    const shedder = new Shedder(overloadOptions.parse({}), Math.random, waits);
    for (let reading = 0; reading < 200; reading += 1) {
      shedder.read({ delayMs: 0, elapsedMs: 20, memoryShare: 0 });
    }
    expect(shedder.level).toBe(3.8);
    expect(shedder.delayMs).toBe(0);
    expect(shedder.waitMs).toBeCloseTo(900, 0);
  });
});

describe('Retry-After', () => {
  for (const [random, expected] of [
    [0, 2],
    [0.5, 4],
    [0.999, 6],
  ] as const) {
    it(`is ${expected} s of at least 2 s where chance says ${random}`, () => {
      const shedder = new Shedder(overloadOptions.parse({ retryAfter: '2s' }), () => random, noLine);
      expect(shedder.retryAfter()).toBe(expected);
    });
  }
});
