import { expect, it } from 'vitest';
import { KnownAddresses } from '../../src/listener/known-addresses.ts';

const minute = 60_000;
const hour = 60 * minute;

it('an address is known for an hour after its last call', () => {
  const known = new KnownAddresses();
  expect(known.has('a', 0)).toBe(false);
  known.note('a', 0);
  expect(known.has('a', hour - 1)).toBe(true);
  expect(known.has('a', hour)).toBe(false);
  known.note('a', 59 * minute);
  expect(known.has('a', 118 * minute)).toBe(true);
});

it('at most so many are known, and who was noted longest ago is forgotten first', () => {
  const known = new KnownAddresses(100);
  for (let n = 0; n < 100; n += 1) known.note(`a${n}`, n);
  known.note('a0', 2 * minute);
  known.note('new', 2 * minute);
  expect(known.size).toBe(100);
  expect(known.has('a0', 2 * minute)).toBe(true);
  expect(known.has('a1', 2 * minute)).toBe(false);
  expect(known.has('new', 2 * minute)).toBe(true);
});

it('the list shrinks again by itself', () => {
  const known = new KnownAddresses();
  for (let n = 0; n < 1000; n += 1) known.note(`a${n}`, 0);
  for (let n = 0; n < 1100; n += 1) known.note('one', 2 * hour + n * minute);
  expect(known.size).toBe(1);
});
