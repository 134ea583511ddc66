import { describe, expect, it } from 'vitest';
import { finishInTurns, type Steps } from '../../src/values/steps.ts';

/** Turns of the event loop between the first step and the last. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns += 1;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work;
  running = false;
  return turns;
}

function* tiny(count: number): Steps<number> {
  for (let step = 0; step < count; step += 1) yield;
  return count;
}

/** Each step takes longer than all may in a turn. */
function* long(count: number): Steps<number> {
  for (let step = 0; step < count; step += 1) {
    const began = performance.now();
    while (performance.now() - began < 3);
    yield;
  }
  return count;
}

describe('work in steps', () => {
  it('takes few turns for many tiny steps', async () => {
    const work = finishInTurns(tiny(10_000));
    expect(await turnsOf(work)).toBeLessThan(500);
    expect(await work).toBe(10_000);
  });

  it('gives up the turn after each long step', async () => {
    expect(await turnsOf(finishInTurns(long(10)))).toBeGreaterThanOrEqual(9);
  });

  it('gives up the turn after each long step of one, however many are under way', async () => {
    const works = [long(5), long(5), tiny(100)].map((steps) => finishInTurns<number>(steps));
    expect(await turnsOf(Promise.all(works))).toBeGreaterThanOrEqual(4);
    expect(await Promise.all(works)).toEqual([5, 5, 100]);
  });

  it('fails as the steps do', async () => {
    function* broken(): Steps<void> {
      yield;
      throw new Error('broken');
    }
    await expect(finishInTurns(broken())).rejects.toThrow('broken');
  });
});
