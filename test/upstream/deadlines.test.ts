import { expect, it } from 'vitest';
import { Deadlines } from '../../src/upstream/deadlines.ts';

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

it('after a stall of this process sockets are read before anybody is judged', async () => {
  const deadlines = new Deadlines(5);
  let read = false;
  const judged: boolean[] = [];
  const entry = {
    checkTime() {
      judged.push(read);
    },
  };
  deadlines.add(entry);
  await wait(20);
  judged.length = 0;
  setImmediate(() => {
    read = true;
  });
  const end = performance.now() + 150;
  while (performance.now() < end) {}
  await wait(50);
  deadlines.delete(entry);
  expect(judged.length).toBeGreaterThan(0);
  expect(judged).not.toContain(false);
});

it('checks nothing that was taken out, and starts again for what comes later', async () => {
  const deadlines = new Deadlines(5);
  let checks = 0;
  const entry = { checkTime: () => void checks++ };
  deadlines.add(entry);
  deadlines.delete(entry);
  await wait(30);
  expect(checks).toBe(0);
  deadlines.add(entry);
  await wait(60);
  deadlines.delete(entry);
  expect(checks).toBeGreaterThan(0);
});
