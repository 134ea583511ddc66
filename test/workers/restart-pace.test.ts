import { expect, test } from 'vitest';
import { createRestartPace } from '../../src/workers/restart-pace.ts';

test('waits longer each time, and gives up after the sixth end in a row', () => {
  const pace = createRestartPace();
  expect([1, 2, 3, 4, 5, 6].map(() => pace.ended(100))).toEqual([250, 500, 1000, 2000, 4000, 'give-up']);
});

test('begins anew after a minute of service', () => {
  const pace = createRestartPace();
  for (let index = 0; index < 5; index += 1) pace.ended(0);
  expect(pace.ended(60_000)).toBe(250);
  expect(pace.ended(59_999)).toBe(500);
});
