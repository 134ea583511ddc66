import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Watchdog } from '../../src/observe/watchdog.ts';

describe('a watchdog', () => {
  const bark = vi.fn();
  beforeEach(() => {
    bark.mockReset();
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  test('is silent while something gets on, however slowly, and barks once when it does not', () => {
    const dog = new Watchdog(1000, bark);
    dog.feed();
    for (let step = 0; step < 10; step += 1) {
      vi.advanceTimersByTime(900);
      dog.feed();
    }
    expect(bark).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5000);
    expect(bark).toHaveBeenCalledTimes(1);
  });

  test('is silent once nothing is under way, and can begin anew', () => {
    const dog = new Watchdog(1000, bark);
    dog.feed();
    dog.rest();
    vi.advanceTimersByTime(5000);
    expect(bark).not.toHaveBeenCalled();
    dog.feed();
    vi.advanceTimersByTime(1000);
    expect(bark).toHaveBeenCalledTimes(1);
  });
});
