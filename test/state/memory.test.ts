import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryState } from '../../src/state/memory.ts';

describe('state in memory', () => {
  it('lets a key be new once until its end', () => {
    let now = 0;
    const state = createMemoryState(() => now);
    expect(state.once('dpop', 'a', 100)).toBe('new');
    now = 99;
    expect(state.once('dpop', 'a', 100)).toBe('known');
    now = 100;
    expect(state.once('dpop', 'a', 100)).toBe('new');
  });

  it('keeps spaces apart', () => {
    const state = createMemoryState(() => 0);
    expect(state.put('question', 'a', 'value', 10)).toBe(true);
    expect(state.get('task', 'a')).toBeUndefined();
    expect(state.once('dpop', 'a', 10)).toBe('new');
    expect(state.get('question', 'a')).toBe('value');
  });

  it('gives a value to one of two that take it', () => {
    const state = createMemoryState(() => 0);
    state.put('question', 'a', 'value', 10);
    expect([state.take('question', 'a'), state.take('question', 'a')]).toEqual(['value', undefined]);
  });

  it('puts a value in place of an earlier one, and forgets', () => {
    const state = createMemoryState(() => 0);
    state.put('task', 'a', 'one', 10);
    state.put('task', 'a', 'two', 10);
    expect(state.get('task', 'a')).toBe('two');
    expect(state.size).toBe(1);
    state.forget('task', 'a');
    expect(state.get('task', 'a')).toBeUndefined();
    expect(state.size).toBe(0);
  });

  it('says that it is full, and drives out nothing that lives', () => {
    let now = 0;
    const state = createMemoryState(() => now, { entries: 2, units: 1000 });
    expect(state.once('dpop', 'a', 1000)).toBe('new');
    expect(state.once('dpop', 'b', 2000)).toBe('new');
    expect(state.once('dpop', 'c', 1000)).toBe('full');
    expect(state.once('question', 'c', 1000)).toBe('new');
    expect(state.once('dpop', 'a', 1000)).toBe('known');
    now = 1000;
    expect(state.once('dpop', 'c', 1000)).toBe('new');
    expect(state.once('dpop', 'b', 1000)).toBe('known');
  });

  it('counts what keys and values take, and keeps the earlier value where a longer one finds no room', () => {
    const state = createMemoryState(() => 0, { entries: 10, units: 10 });
    expect(state.put('request', 'k', 'x'.repeat(9), 10)).toBe(true);
    expect(state.put('request', 'l', '', 10)).toBe(false);
    expect(state.put('request', 'k', 'x'.repeat(10), 10)).toBe(false);
    expect(state.get('request', 'k')).toBe('x'.repeat(9));
    expect(state.put('request', 'k', 'y', 10)).toBe(true);
    expect(state.put('request', 'l', '', 10)).toBe(true);
  });

  it('never holds more than its bounds, whatever is asked in which order', () => {
    const step = fc.record({
      does: fc.constantFrom('once', 'put', 'take', 'forget', 'wait'),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      value: fc.string({ maxLength: 6 }),
      ttl: fc.integer({ min: 1, max: 500 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0;
        const state = createMemoryState(() => now, { entries: 3, units: 12 });
        const model = new Map<string, { value: string; until: number }>();
        for (const { does, key, value, ttl } of steps) {
          const known = model.get(key);
          const alive = known !== undefined && known.until > now;
          if (does === 'wait') now += ttl;
          else if (does === 'forget') {
            state.forget('task', key);
            model.delete(key);
          } else if (does === 'take') {
            expect(state.take('task', key)).toBe(alive ? known.value : undefined);
            model.delete(key);
          } else if (does === 'once') {
            const answer = state.once('task', key, ttl);
            expect(answer === 'known').toBe(alive);
            if (answer === 'new') model.set(key, { value: '', until: now + ttl });
          } else if (state.put('task', key, value, ttl)) {
            model.set(key, { value, until: now + ttl });
          }
          expect(state.size).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});
