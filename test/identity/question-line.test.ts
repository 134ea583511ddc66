import { expect, test } from 'vitest';
import { createQuestionLine } from '../../src/identity/question-line.ts';

/** Comes to a line, and writes down when it gets in or is turned away. */
function world(most: number, waiting: number) {
  const line = createQuestionLine(most, waiting);
  const inside: string[] = [];
  const refused: string[] = [];
  const come = async (name: string, known: boolean) => {
    const entered = line.enter(known).then((place) => (place ? inside : refused).push(name));
    // Whoever has to wait is still waiting after this.
    await Promise.race([entered, new Promise((resolve) => setImmediate(resolve))]);
  };
  const leave = async () => {
    line.leave();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { come, leave, inside, refused };
}

test('a line lets so many in, makes so many of each kind wait, and turns the rest away', async () => {
  const { come, inside, refused } = world(2, 1);
  for (const name of ['a', 'b', 'c', 'd']) await come(name, false);
  for (const name of ['e', 'f']) await come(name, true);
  expect(inside).toEqual(['a', 'b']);
  expect(refused).toEqual(['d', 'f']);
});

test('whoever is known goes first, and otherwise whoever came first', async () => {
  const { come, leave, inside } = world(1, 2);
  for (const [name, known] of [
    ['a', false],
    ['stranger 1', false],
    ['stranger 2', false],
    ['known 1', true],
    ['known 2', true],
  ] as const) {
    await come(name, known);
  }
  for (let left = 0; left < 4; left++) await leave();
  expect(inside).toEqual(['a', 'known 1', 'known 2', 'stranger 1', 'stranger 2']);
});

test('a place that nobody waits for is free again', async () => {
  const { come, leave, inside, refused } = world(1, 0);
  await come('a', true);
  await come('b', true);
  await leave();
  await come('c', false);
  await come('d', false);
  expect(inside).toEqual(['a', 'c']);
  expect(refused).toEqual(['b', 'd']);
});
