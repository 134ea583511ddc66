import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { levelByInFlight, levelsByBacklog, type Measures, OverloadLevel } from '../../src/overload/level.ts';

const noWait = { callers: 0, strangers: 0, low: 0 };
const calm: Measures = { delayMs: 0, wait: noWait, demand: 100, memoryShare: 0 };

function levelAfter(level: OverloadLevel, measures: Partial<Measures>, ms: number, step = 20): number {
  for (let passed = 0; passed < ms; passed += step) level.update({ ...calm, ...measures }, step);
  return level.levels.callers;
}

const whole = { delay: 100, wait: 500, memory: 0.85 };

describe('the level of an overload', () => {
  it('is nothing while the loop keeps up', () => {
    expect(levelAfter(new OverloadLevel(whole), {}, 10_000)).toBe(0);
    expect(levelAfter(new OverloadLevel(whole), { delayMs: 99 }, 10_000)).toBe(0);
  });

  it('rises while the loop is late, and comes down when it is not', () => {
    const level = new OverloadLevel(whole);
    const soon = levelAfter(level, { delayMs: 150 }, 500);
    expect(soon).toBeGreaterThan(0);
    expect(levelAfter(level, { delayMs: 150 }, 500)).toBeGreaterThan(soon);
    expect(levelAfter(level, { delayMs: 400 }, 2000)).toBeGreaterThan(3);
    expect(levelAfter(level, {}, 3000)).toBe(0);
  });

  it('never refuses all calls for the delay alone', () => {
    expect(levelAfter(new OverloadLevel(whole), { delayMs: 100_000 }, 60_000)).toBe(3.8);
  });

  it('rises while those who wait for their turn wait for longer than they should', () => {
    const level = new OverloadLevel(whole);
    expect(levelAfter(level, { wait: { callers: 499, strangers: 499, low: 499 } }, 10_000)).toBe(0);
    expect(levelAfter(level, { wait: { ...noWait, callers: 900 } }, 5000)).toBe(3.8);
    expect(levelAfter(level, {}, 3000)).toBe(0);
  });

  it('refuses nobody but callers of low priority because these wait', () => {
    const level = new OverloadLevel(whole);
    expect(levelAfter(level, { wait: { ...noWait, low: 60_000 } }, 60_000)).toBe(3);
    expect(levelsByBacklog({ ...noWait, low: 60_000 }, 500)).toEqual({ callers: 3, strangers: 3 });
  });

  it('refuses strangers and no known callers because strangers wait', () => {
    const level = new OverloadLevel(whole);
    expect(levelAfter(level, { wait: { ...noWait, strangers: 60_000 } }, 60_000)).toBe(0);
    expect(level.levels.strangers).toBe(3.8);
    expect(levelsByBacklog({ ...noWait, strangers: 60_000 }, 500)).toEqual({ callers: 0, strangers: 3.8 });
  });

  for (const [callers, expected] of [
    [0, 0],
    [1000, 0],
    [1500, 2],
    [60_000, 3.8],
    [Number.NaN, 0],
  ] as const) {
    it(`is ${expected} at once where one that comes now would wait ${callers} ms`, () => {
      expect(levelsByBacklog({ ...noWait, callers }, 500).callers).toBeCloseTo(expected, 9);
    });
  }

  it('stays where it is between half of the target and the target, so that it does not swing', () => {
    const level = new OverloadLevel(whole);
    levelAfter(level, { delayMs: 200 }, 500);
    levelAfter(level, { delayMs: 75 }, 500);
    const settled = level.levels.callers;
    expect(settled).toBeGreaterThan(0);
    expect(levelAfter(level, { delayMs: 75 }, 5000)).toBe(settled);
  });

  it('makes nothing of one pause, such as a collection of garbage or a machine that slept', () => {
    const level = new OverloadLevel(whole);
    levelAfter(level, {}, 1000);
    level.update({ ...calm, delayMs: 3_600_000 }, 3_600_020);
    expect(level.levels.callers).toBe(0);
    expect(levelAfter(level, {}, 2000)).toBe(0);
  });

  it('needs the whole at once where turn after turn is late by far', () => {
    const level = new OverloadLevel(whole);
    for (let turns = 0; turns < 2; turns += 1) level.update({ ...calm, delayMs: 600 }, 620);
    expect(level.levels.callers).toBe(0);
    level.update({ ...calm, delayMs: 600 }, 620);
    expect(level.levels.callers).toBe(3.8);
    expect(levelAfter(level, {}, 1000)).toBeGreaterThan(1);
  });

  it('sees a queue also where only every other turn is late', () => {
    const level = new OverloadLevel(whole);
    let highest = 0;
    for (let turns = 0; turns < 60; turns += 1) {
      level.update({ ...calm, delayMs: turns % 2 === 0 ? 400 : 30 }, turns % 2 === 0 ? 420 : 50);
      highest = Math.max(highest, level.levels.callers);
    }
    expect(highest).toBeGreaterThan(2);
  });

  it('does not blame callers for a late loop when hardly anybody calls', () => {
    expect(levelAfter(new OverloadLevel(whole), { delayMs: 500, demand: 7 }, 10_000)).toBe(0);
    expect(levelAfter(new OverloadLevel(whole), { delayMs: 500, demand: 8 }, 10_000)).toBeGreaterThan(3);
  });

  for (const [share, expected] of [
    [0.5, 0],
    [0.6, 1],
    [0.7, 2],
    [0.8, 3],
    [0.9, 4],
    [7, 4],
  ] as const) {
    it(`is ${expected} at ${share} of what may be under way, at once`, () => {
      expect(levelByInFlight(share)).toBeCloseTo(expected, 9);
    });
  }

  for (const [share, expected] of [
    [0.85, 0],
    [0.9, 2],
    [0.95, 4],
    [1, 4],
  ] as const) {
    it(`is ${expected} at ${share} of the memory`, () => {
      const level = new OverloadLevel(whole);
      level.update({ ...calm, memoryShare: share }, 20);
      expect(level.levels.callers).toBeCloseTo(expected, 9);
    });
  }

  it('leaves out what is turned off', () => {
    const level = new OverloadLevel({ delay: undefined, wait: undefined, memory: undefined });
    const wait = { callers: 5000, strangers: 5000, low: 5000 };
    expect(levelAfter(level, { delayMs: 1000, wait, memoryShare: 1 }, 5000)).toBe(0);
  });

  it('is a number from 0 to 4 whatever is measured', () => {
    const odd = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 1e308));
    const measures = fc.record({
      delayMs: odd,
      wait: fc.record({ callers: odd, strangers: odd, low: odd }),
      demand: odd,
      memoryShare: odd,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(measures, odd), { maxLength: 30 }), (steps) => {
        const level = new OverloadLevel(whole);
        for (const [one, elapsed] of steps) {
          level.update(one, elapsed);
          expect(level.levels.callers).toBeGreaterThanOrEqual(0);
          expect(level.levels.callers).toBeLessThanOrEqual(4);
        }
        // And it recovers from all of it.
        expect(levelAfter(level, {}, 20_000)).toBe(0);
      }),
    );
  });
});
