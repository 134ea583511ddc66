import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReplayMemory as createMemory } from '../../src/identity/dpop-replay.ts';

/** Every proof has a holder of its own, unless a test says whose it is. */
function createReplayMemory(capacity: number, window: number) {
  const memory = createMemory(capacity, window);
  let holders = 0;
  return {
    remember: (thumbprint: string, id: string, until: number, time: number, holder = `holder ${holders++}`) =>
      memory.remember({ holder, thumbprint, id, until }, time),
    get size() {
      return memory.size;
    },
  };
}

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

  test('lets go of what is too old once, at the moment, and of nothing younger', () => {
    // Twelve parts of 100 each.
    const memory = createReplayMemory(100, 1200);
    for (const id of ['a', 'b', 'c']) expect(memory.remember('k', id, 1000, 0)).toBe('new');
    expect(memory.remember('k', 'd', 2000, 1099)).toBe('new');
    expect(memory.size).toBe(4);
    expect(memory.remember('k', 'e', 2000, 1100)).toBe('new');
    expect(memory.size).toBe(2);
    for (const id of ['d', 'e']) expect(memory.remember('k', id, 2000, 1150)).toBe('seen');
    expect(memory.size).toBe(2);
    expect(memory.remember('k', 'a', 1099, 0)).toBe('forgotten');
    expect(memory.remember('k', 'f', 1100, 0)).toBe('new');
    expect(memory.size).toBe(3);
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

  test('leaves room for others, however many keys one holder has', () => {
    const memory = createReplayMemory(100, 60_000);
    const flood = (holder: string) => {
      let passed = 0;
      for (let n = 0; n < 200; n++) {
        if (memory.remember(`key ${n}`, `${holder} ${n}`, 60_000, 0, holder) === 'new') passed += 1;
      }
      return passed;
    };
    expect(flood('mallory')).toBe(20);
    expect(memory.remember('k', 'mallory again', 60_000, 0, 'mallory')).toBe('full');
    expect(memory.remember('k', 'a', 60_000, 0, 'alice')).toBe('new');
    expect(memory.remember('k', 'b', 60_000, 0, 'alice')).toBe('new');
    expect(flood('malice')).toBe(16);
    expect(memory.remember('k', 'c', 60_000, 0, 'bob')).toBe('new');
    // Nothing was driven out, whoever has it and whoever shows it.
    for (const holder of ['mallory', 'alice', 'eve']) {
      expect(memory.remember('key 0', 'mallory 0', 60_000, 0, holder)).toBe('seen');
      expect(memory.remember('k', 'a', 60_000, 0, holder)).toBe('seen');
    }
    // What is over no longer counts against its holder.
    expect(memory.remember('k', 'mallory later', 190_000, 130_000, 'mallory')).toBe('new');
    expect(memory.size).toBe(1);
  });

  test('has room for a newcomer, whatever some others do', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 90 }),
        fc.array(fc.nat(4), { maxLength: 200 }),
        (capacity, uses) => {
          const memory = createReplayMemory(capacity, 1000);
          for (const [n, holder] of uses.entries()) memory.remember('k', String(n), 1000, 0, `${holder}`);
          expect(memory.size).toBeLessThan(capacity);
          expect(memory.remember('k', 'new', 1000, 0, 'newcomer')).toBe('new');
        },
      ),
    );
  });
});
