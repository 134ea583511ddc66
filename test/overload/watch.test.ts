import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { overloadOptions } from '../../src/overload/options.ts';
import { Shedder } from '../../src/overload/shedder.ts';
import { watchOverload } from '../../src/overload/watch.ts';
import { FakeLoop } from './fake-loop.ts';

describe('the watch over the event loop', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('takes its own lateness for that of the loop, reads memory, and ends when it is told to', () => {
    let now = 0;
    let used = 10;
    const shedder = new Shedder(overloadOptions.parse({}), () => 0.5, new FakeLoop().queue);
    for (let entered = 0; entered < 50; entered += 1) shedder.enter();
    const stop = watchOverload(shedder, () => now, {
      heap: () => ({ used, limit: 100 }),
      resident: () => 0,
    });
    const turn = (ms: number): void => {
      now += ms;
      vi.advanceTimersByTime(20);
    };
    for (let turns = 0; turns < 50; turns += 1) turn(20);
    expect(shedder.delayMs).toBe(0);
    expect(shedder.level).toBe(0);
    for (let turns = 0; turns < 50; turns += 1) turn(320);
    expect(shedder.delayMs).toBeCloseTo(300, 0);
    expect(shedder.level).toBeGreaterThan(3);
    for (let turns = 0; turns < 200; turns += 1) turn(20);
    expect(shedder.level).toBe(0);
    used = 90;
    for (let turns = 0; turns < 25; turns += 1) turn(20);
    expect(shedder.level).toBeCloseTo(2, 9);
    stop();
    used = 10;
    for (let turns = 0; turns < 50; turns += 1) turn(20);
    expect(shedder.level).toBeCloseTo(2, 9);
  });
});
