import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReplayMemory } from '../../src/identity/dpop-replay.ts';

describe('the replay memory', () => {
  test('knows a proof until it is too old', () => {
    const memory = createReplayMemory(100, 60_000);
    expect(memory.remember('k', 'a', 60_000, 0)).toBe('new');
    for (const time of [0, 1, 30_000, 59_999]) {
      expect(memory.remember('k', 'a', 60_000 + time, time)).toBe('seen');
    }
    expect(memory.size).toBe(1);
  });

  test('tells keys and ids apart, however they are cut', () => {
    const memory = createReplayMemory(100, 60_000);
    for (const [key, id] of [
      ['k', 'a'],
      ['k', 'b'],
      ['ka', ''],
      ['', 'ka'],
      ['k"', ',"a'],
      ['k","', 'a'],
    ] as const) {
      expect(memory.remember(key, id, 60_000, 0)).toBe('new');
      expect(memory.remember(key, id, 60_000, 0)).toBe('seen');
    }
  });

  test('refuses when it is full, still knows what it knew, and has room again once that is old', () => {
    const memory = createReplayMemory(3, 60_000);
    for (const id of ['a', 'b', 'c']) expect(memory.remember('k', id, 60_000, 0)).toBe('new');
    expect(memory.remember('k', 'd', 60_000, 0)).toBe('full');
    expect(memory.remember('k', 'd', 60_000, 0)).toBe('full');
    expect(memory.remember('k', 'a', 60_000, 0)).toBe('seen');
    expect(memory.size).toBe(3);
    expect(memory.remember('k', 'd', 130_000, 70_000)).toBe('new');
    expect(memory.size).toBe(1);
  });

  test('lets nothing back in when the clock is set back', () => {
    const memory = createReplayMemory(100, 60_000);
    expect(memory.remember('k', 'a', 60_000, 0)).toBe('new');
    expect(memory.remember('k', 'b', 200_000, 140_000)).toBe('new');
    expect(memory.remember('k', 'a', 60_000, 0)).toBe('forgotten');
  });

  test('never passes one proof twice within its time, and never holds more than it may', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.record({ id: fc.integer({ min: 0, max: 9 }), age: fc.nat(999), step: fc.nat(700) }), {
          maxLength: 60,
        }),
        (capacity, uses) => {
          const memory = createReplayMemory(capacity, 1000);
          const passed = new Map<string, number>();
          let time = 0;
          for (const { id, age, step } of uses) {
            time += step;
            const until = time - age + 1000;
            const answer = memory.remember('k', String(id), until, time);
            const earlier = passed.get(String(id));
            if (earlier !== undefined && earlier > time) expect(answer).not.toBe('new');
            if (answer === 'new') passed.set(String(id), until);
            expect(memory.size).toBeLessThanOrEqual(capacity);
          }
        },
      ),
    );
  });
});
