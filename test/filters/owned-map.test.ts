import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createClientTasks } from '../../src/filters/client-tasks.ts';
import { createElicitations } from '../../src/filters/elicitations.ts';
import { OwnedMap } from '../../src/filters/owned-map.ts';
import { createSealer } from '../../src/filters/seal.ts';
import { makeExchange, principal } from './support.ts';

const alice = makeExchange();
const bob = makeExchange({ principal: principal('bob') });

test('an owner who has too many loses its oldest, and nobody else loses any', () => {
  const map = new OwnedMap<number>(100, 2);
  map.set('bob', 'b', 0);
  for (const [index, key] of ['1', '2', '1', '3'].entries()) map.set('alice', key, index);
  expect([map.get('alice', '2'), map.get('alice', '1'), map.get('alice', '3')]).toEqual([undefined, 2, 3]);
  expect(map.get('bob', 'b')).toBe(0);
  expect(map.size).toBe(3);
});

test('over the bound of all, who was silent longest loses one', () => {
  const map = new OwnedMap<number>(3, 3);
  for (const [owner, key] of [
    ['a', '1'],
    ['b', '1'],
    ['a', '2'],
    ['b', '2'],
  ] as const)
    map.set(owner, key, 0);
  expect([map.get('a', '1'), map.get('a', '2'), map.get('b', '1'), map.get('b', '2')]).toEqual([
    undefined,
    0,
    0,
    0,
  ]);
});

test('holds its bounds, counts right and tells the last value, whatever is done to it', () => {
  const word = fc.constantFrom('a', 'b', 'c', '__proto__', '');
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word, fc.boolean()), { maxLength: 60 }), (steps) => {
      const map = new OwnedMap<number>(5, 3);
      for (const [index, [owner, key, adds]] of steps.entries()) {
        if (adds) map.set(owner, key, index);
        else map.delete(owner, key);
        expect(map.get(owner, key)).toBe(adds ? index : undefined);
        expect(map.size).toBeLessThanOrEqual(5);
      }
      const words = ['a', 'b', 'c', '__proto__', ''];
      const found = words.map((owner) => words.filter((key) => map.get(owner, key) !== undefined).length);
      expect(found.reduce((sum, count) => sum + count, 0)).toBe(map.size);
      expect(Math.max(...found)).toBeLessThanOrEqual(3);
    }),
  );
});

test('a client and a server that make tasks without end have nobody else’s forgotten', () => {
  const tasks = createClientTasks(createSealer([Buffer.alloc(32, 1)], 'client-task'), {
    all: 10,
    perOwner: 4,
  });
  const handle = tasks.give('mine', bob);
  for (let count = 0; count < 50; count += 1) tasks.give(`t${count}`, alice);
  expect(tasks.given('mine', bob)).toBe(handle);
  expect(tasks.given('t49', alice)).toBeDefined();
  expect(tasks.given('t0', alice)).toBe(undefined);
});

test('a server that asks one client to open URLs without end has nobody else’s forgotten', () => {
  const limits = { questions: 100, questionsPerSession: 1, questionAge: 1000 };
  const elicitations = createElicitations(limits, () => 0);
  elicitations.learn({ elicitationId: 'mine' }, bob);
  for (let count = 0; count < 500; count += 1) elicitations.learn({ elicitationId: `e${count}` }, alice);
  expect(elicitations.size).toBeLessThan(20);
  expect(elicitations.take('mine', bob)).toBe(true);
  expect(elicitations.take('mine', bob)).toBe(false);
});
