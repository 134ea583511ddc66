import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTaskBook } from '../../src/filters/task-book.ts';
import { makeExchange, principal } from './support.ts';

const alice = makeExchange();
const bob = makeExchange({ principal: principal('bob') });
const task = (id: string) => ({ upstreamId: id, handle: `handle of ${id}`, tool: 'job' });

test('tells a task to its owner on its upstream, by either name, and to nobody else', () => {
  const book = createTaskBook();
  book.learn(task('1'), alice);
  expect(book.find('1', alice)).toEqual(task('1'));
  expect(book.findHandle('handle of 1', alice)).toEqual(task('1'));
  for (const other of [bob, makeExchange({ upstream: 'other' })]) {
    expect([book.find('1', other), book.findHandle('handle of 1', other)]).toEqual([undefined, undefined]);
  }
  for (const id of ['2', '', undefined, 1, ['1'], '__proto__']) expect(book.find(id, alice)).toBe(undefined);
});

test('forgets the oldest of an owner who has too many, and nobody else’s', () => {
  const book = createTaskBook({ all: 100, perOwner: 2 });
  book.learn(task('b'), bob);
  for (const id of ['1', '2', '3']) book.learn(task(id), alice);
  expect([book.find('1', alice), book.findHandle('handle of 1', alice)]).toEqual([undefined, undefined]);
  expect(book.find('3', alice)).toEqual(task('3'));
  expect(book.find('b', bob)).toEqual(task('b'));
  expect(book.size).toBe(3);
});

test('forgets one of the owner who was silent longest where there are too many in all', () => {
  const book = createTaskBook({ all: 3, perOwner: 3 });
  book.learn(task('a'), alice);
  book.learn(task('b'), bob);
  book.learn(task('c'), alice);
  book.learn(task('d'), alice);
  expect(book.find('b', bob)).toBe(undefined);
  expect(book.find('a', alice)).toEqual(task('a'));
  expect(book.size).toBe(3);
});

test('never grows beyond its bounds, whatever comes', () => {
  const who = fc.constantFrom('a', 'b', 'c', 'd');
  fc.assert(
    fc.property(fc.array(fc.tuple(who, fc.nat(12)), { maxLength: 80 }), (steps) => {
      const book = createTaskBook({ all: 10, perOwner: 4 });
      for (const [name, id] of steps) {
        const exchange = makeExchange({ principal: principal(name) });
        book.learn(task(String(id)), exchange);
        expect(book.find(String(id), exchange)).toEqual(task(String(id)));
        expect(book.size).toBeLessThanOrEqual(10);
      }
    }),
  );
});
