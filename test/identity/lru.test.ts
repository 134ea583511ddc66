import { expect, test } from 'vitest';
import { createLru } from '../../src/identity/lru.ts';

test('never holds more than its maximum, and lets go of what was used longest ago', () => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  expect(lru.get('a')).toBe(1);
  lru.set('c', 3);
  expect(lru.size).toBe(2);
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
  lru.set('a', 4);
  expect(lru.size).toBe(2);
  lru.delete('a');
  expect(lru.get('a')).toBeUndefined();
  lru.clear();
  expect(lru.size).toBe(0);
});

test('asking for what is not there takes no room', () => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  for (const key of ['b', 'c', 'd']) expect(lru.get(key)).toBeUndefined();
  expect(lru.size).toBe(1);
  expect(lru.get('a')).toBe(1);
});

test('what is set anew counts as used now', () => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  lru.set('a', 3);
  lru.set('c', 4);
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([3, undefined, 4]);
});
