import { describe, expect, test } from 'vitest';
import { createCountTable } from '../../src/limits/count-table.ts';

describe('a table of counts', () => {
  test('forgets what is worth nothing to make room, and nothing else', () => {
    let now = 0;
    const table = createCountTable<number>(3, (until) => until <= now);
    table.set('past', 100);
    table.set('soon', 300);
    table.set('later', 900);
    now = 200;
    expect(table.hasRoom(['new'])).toBe(true);
    expect(table.get('past')).toBeUndefined();
    expect(table.get('soon')).toBe(300);
    table.set('new', 1_000_000);
    expect(table.hasRoom(['newer'])).toBe(false);
    expect(table.hasRoom(['new', 'later'])).toBe(true);
    expect(table.size).toBe(3);
  });

  test('asks for room for every new key of one call', () => {
    const table = createCountTable<number>(2, () => false);
    table.set('one', 1);
    expect(table.hasRoom(['two'])).toBe(true);
    expect(table.hasRoom(['two', 'three'])).toBe(false);
  });

  test('looks at a bounded number of counts for one call, and finds what there is within some calls', () => {
    let looked = 0;
    const table = createCountTable<string>(5000, (count) => {
      looked += 1;
      return count === 'spent';
    });
    for (let index = 0; index < 4999; index += 1) table.set(`key-${index}`, 'counts');
    table.set('last', 'spent');
    looked = 0;
    let calls = 0;
    let most = 0;
    while (!table.hasRoom(['new'])) {
      most = Math.max(most, looked);
      looked = 0;
      calls += 1;
      expect(calls).toBeLessThan(10);
    }
    expect(most).toBeLessThanOrEqual(1000);
    expect(table.get('last')).toBeUndefined();
    expect(table.size).toBe(4999);
  });

  test('shrinks after a flood, while new keys come', () => {
    let over = false;
    const table = createCountTable<number>(10_000, () => over);
    for (let index = 0; index < 1000; index += 1) table.set(`flood-${index}`, index);
    over = true;
    for (let index = 0; index < 600; index += 1) table.set(`new-${index}`, index);
    expect(table.size).toBeLessThan(600);
  });
});
