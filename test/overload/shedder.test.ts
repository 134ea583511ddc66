import { describe, expect, it } from 'vitest';
import { overloadOptions } from '../../src/overload/options.ts';
import { type Sheddable, Shedder, shedOrder } from '../../src/overload/shedder.ts';

/** A shedder whose level is set by how much is under way. */
function shedderAt(level: number, random: () => number = () => 0.5): Shedder {
  const shedder = new Shedder(overloadOptions.parse({ inFlight: 1000 }), random, () => 0);
  for (let entered = 0; entered < Math.round((0.5 + level / 10) * 1000); entered += 1) shedder.enter();
  return shedder;
}

function shedAt(level: number, random?: () => number): readonly Sheddable[] {
  const shedder = shedderAt(level, random);
  return shedOrder.filter((kind) => shedder.sheds(kind));
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
    const refused = Array.from({ length: 1000 }, () => shedder.sheds('call-normal')).filter(Boolean).length;
    expect(refused).toBeGreaterThanOrEqual(290);
    expect(refused).toBeLessThanOrEqual(310);
  });
});

describe('what is under way', () => {
  it('is bounded: at the bound nobody is let in, and one that leaves makes room', () => {
    const shedder = new Shedder(overloadOptions.parse({ inFlight: 16 }), Math.random, () => 0);
    for (let entered = 0; entered < 15; entered += 1) shedder.enter();
    expect(shedder.full).toBe(false);
    shedder.enter();
    expect(shedder.full).toBe(true);
    shedder.leave();
    expect(shedder.full).toBe(false);
  });

  it('counts no stream that stays open, until it ends', () => {
    const shedder = new Shedder(overloadOptions.parse({}), Math.random, () => 0);
    shedder.enter();
    shedder.leave();
    expect(shedder.underWay).toBe(0);
    shedder.comeBack();
    shedder.leave();
    expect(shedder.underWay).toBe(0);
  });
});

describe('a turn of the loop that reads a thousand requests', () => {
  it('refuses before it is over, and forgets it with the next reading', () => {
    let now = 5000;
    const shedder = new Shedder(
      overloadOptions.parse({ delay: '100ms' }),
      () => 0.5,
      () => now,
    );
    const next = (): readonly Sheddable[] => {
      now += 25;
      shedder.enter();
      return shedOrder.filter((kind) => shedder.sheds(kind));
    };
    const shed = Array.from({ length: 18 }, next).map((kinds) => kinds.length);
    // After two hundred milliseconds of requests it begins, and after another hundred and fifty it is down to calls.
    expect(shed).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    shedder.read({ delayMs: 280, elapsedMs: 300, memoryShare: 0 });
    expect(next()).toEqual([]);
  });

  it("does not count the time before the first of them: a collection of garbage is nobody's fault", () => {
    let now = 0;
    const shedder = new Shedder(
      overloadOptions.parse({ delay: '100ms' }),
      () => 0.5,
      () => now,
    );
    shedder.read({ delayMs: 0, elapsedMs: 20, memoryShare: 0 });
    now += 700;
    shedder.enter();
    expect(shedder.level).toBe(0);
  });
});

describe('Retry-After', () => {
  for (const [random, expected] of [
    [0, 2],
    [0.5, 4],
    [0.999, 6],
  ] as const) {
    it(`is ${expected} s of at least 2 s where chance says ${random}`, () => {
      const shedder = new Shedder(
        overloadOptions.parse({ retryAfter: '2s' }),
        () => random,
        () => 0,
      );
      expect(shedder.retryAfter()).toBe(expected);
    });
  }
});
