import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callAt } from '../../src/gateway/call-at.ts';

const year = 365 * 86_400_000;

describe('a call at a time of day', () => {
  const then = vi.fn();
  /** How far the clock was set from where it stood. */
  let shift = 0;
  const clocks = { now: () => Date.now() + shift, monotonic: () => performance.now() };

  beforeEach(() => {
    vi.useFakeTimers();
    then.mockReset();
    shift = 0;
  });
  afterEach(() => vi.useRealTimers());

  it('comes then, and not before', () => {
    callAt(Date.now() + 600_000, then, clocks);
    vi.advanceTimersByTime(599_000);
    expect(then).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(then).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(600_000);
    expect(then).toHaveBeenCalledTimes(1);
  });

  it('comes within a minute where the clock is set past it', () => {
    callAt(Date.now() + 600_000, then, clocks);
    vi.advanceTimersByTime(1000);
    shift = 10 * year;
    vi.advanceTimersByTime(60_000);
    expect(then).toHaveBeenCalledTimes(1);
  });

  it.each([-300_000, -10 * year])('comes no later where the clock is set back by %d ms', (back) => {
    callAt(Date.now() + 600_000, then, clocks);
    shift = back;
    vi.advanceTimersByTime(600_000);
    expect(then).toHaveBeenCalledTimes(1);
  });

  it('comes at the right time where that is further off than a timer can hold', () => {
    callAt(Date.now() + 2 ** 31 + 1000, then, clocks);
    vi.advanceTimersByTime(2 ** 31);
    expect(then).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(then).toHaveBeenCalledTimes(1);
  });

  it('comes at once where it is past, and never once it was called off', () => {
    callAt(Date.now() - 1, then, clocks);
    const callOff = callAt(Date.now() + 1000, then, clocks);
    callOff();
    vi.advanceTimersByTime(5000);
    expect(then).toHaveBeenCalledTimes(1);
  });
});
