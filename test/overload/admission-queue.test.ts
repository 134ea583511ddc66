import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rank } from '../../src/overload/lines.ts';
import { ranks } from '../../src/overload/lines.ts';
import { FakeLoop } from './fake-loop.ts';

/** A loop with so many requests that all came in one turn, each with so much work. */
function loaded(count: number, costMs: number, bytes = 100, rank: (index: number) => Rank = () => 'normal') {
  const loop = new FakeLoop();
  const begun: number[] = [];
  loop.turn(() => {
    for (let index = 0; index < count; index += 1) {
      loop.queue.enter(rank(index), bytes, () => {
        begun.push(index);
        loop.work(costMs);
        return true;
      });
    }
  });
  return { loop, begun };
}

describe('a line of requests', () => {
  it('is none where there is time: who comes begins at once', () => {
    const loop = new FakeLoop();
    const begun: number[] = [];
    loop.turn(() => {
      for (let index = 0; index < 8; index += 1) {
        expect(loop.queue.isOpen).toBe(true);
        loop.queue.enter('low', 1000, () => begun.push(index) > 0);
        expect(begun).toHaveLength(index + 1);
      }
    });
    expect(loop.queue.waiting).toBe(0);
    loop.turn();
    expect(loop.isIdle).toBe(true);
  });

  for (const [what, costMs, bytes, most] of [
    ['5 ms of work', 1, 100, 10],
    ['32 requests whose work is not seen', 0, 100, 64],
    ['64 KiB of bodies', 0, 20_000, 8],
    ['one body however large', 0, 4 * 2 ** 20, 2],
    ['one request however dear', 400, 100, 2],
    ['one body of unknown length', 0, Number.POSITIVE_INFINITY, 2],
  ] as const) {
    it(`begins ${what} while it reads, and as much for those who wait`, () => {
      const { loop, begun } = loaded(200, costMs, bytes);
      expect(begun).toHaveLength(most);
      expect(loop.queue.waiting).toBe(200 - most);
      loop.turn();
      expect(begun).toHaveLength(most * 1.5);
      loop.finish();
      expect(begun).toEqual(Array.from({ length: 200 }, (_, index) => index));
    });
  }

  it('puts nobody before those who wait, also where there is time again', () => {
    const { loop, begun } = loaded(40, 1);
    loop.turn(() => loop.queue.enter('normal', 1, () => begun.push(-1) > 0));
    expect(begun.at(-1)).not.toBe(-1);
    loop.finish();
    expect(begun.at(-1)).toBe(-1);
  });

  it('lets the most important begin first, and every fourth the one that has waited longest', () => {
    const { loop, begun } = loaded(400, 1, 100, (index) => ranks[3 - Math.floor(index / 100)]!);
    const atOnce = begun.slice(0, 5);
    expect(atOnce).toEqual([0, 1, 2, 3, 4]);
    loop.finish();
    const later = begun.slice(5, 85);
    expect(later.filter((index) => index >= 300)).toHaveLength(60);
    expect(later.filter((index) => index < 100)).toHaveLength(20);
  });

  it('tells how long the first has waited, of all and of those of low priority', () => {
    const { loop } = loaded(100, 1, 100, (index) => (index < 50 ? 'low' : 'normal'));
    loop.work(70);
    expect(loop.queue.callers.oldestMs).toBe(75);
    expect(loop.queue.low.oldestMs).toBe(75);
    loop.finish();
    expect(loop.queue.callers).toEqual({ oldestMs: 0, expectedMs: 0 });
    expect(loop.queue.low).toEqual({ oldestMs: 0, expectedMs: 0 });
  });

  it('tells how long one that comes now would wait, those of low priority behind all others', () => {
    const { loop } = loaded(1000, 0.5, 100, (index) => (index % 2 === 0 ? 'low' : 'normal'));
    for (let turns = 0; turns < 20; turns += 1) loop.turn();
    const { waiting, callers, strangers, low } = loop.queue;
    expect(low.expectedMs).toBeCloseTo(waiting * 0.5, 0);
    expect(callers.expectedMs).toBeLessThan(low.expectedMs);
    expect(strangers).toEqual({ oldestMs: 0, expectedMs: callers.expectedMs });
    expect(callers.expectedMs).toBeGreaterThan(0);
  });

  it('counts for each rank those before it, and not those behind', () => {
    const { loop } = loaded(400, 1, 100, (index) => ranks[index % 4]!);
    const { queue } = loop;
    const counts = ranks.map((rank) => queue.upTo(rank));
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(queue.upTo('low')).toBe(queue.waiting);
    expect(queue.upTo('high')).toBeLessThan(queue.waiting / 3);
  });

  it('is left at once by those who are taken out, wherever they stand, and each goes once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ rank: fc.constantFrom(...ranks), leaves: fc.boolean() }), { maxLength: 60 }),
        fc.nat(3),
        (come, turns) => {
          const loop = new FakeLoop();
          const begun = new Set<number>();
          const leave: ((() => void) | undefined)[] = [];
          loop.turn(() => {
            for (const [index, { rank }] of come.entries()) {
              leave.push(
                loop.queue.enter(rank, 40_000, () => {
                  expect(begun.has(index)).toBe(false);
                  begun.add(index);
                  return true;
                }),
              );
            }
          });
          for (let turn = 0; turn < turns; turn += 1) loop.turn();
          const gone = come.map(
            ({ leaves }, index) => leaves && leave[index] !== undefined && !begun.has(index),
          );
          for (const [index, { leaves }] of come.entries()) {
            // Twice, and also where it has begun.
            if (leaves) for (const _ of [1, 2]) leave[index]?.();
          }
          expect(loop.queue.waiting).toBe(come.length - begun.size - gone.filter(Boolean).length);
          expect(loop.queue.upTo('low')).toBe(loop.queue.waiting);
          loop.finish();
          expect(come.map((_, index) => begun.has(index))).toEqual(gone.map((one) => !one));
        },
      ),
    );
  });

  it('gives the turn of who has left to who stays, however many they are and whatever they said to send', () => {
    const loop = new FakeLoop();
    let begun = 0;
    let forgotten = 0;
    loop.turn(() => {
      loop.queue.enter('normal', 100_000, () => true);
      for (let index = 0; index < 5000; index += 1) {
        loop.queue.enter('normal', 100_000, () => {
          forgotten += 1;
          return false;
        });
      }
      loop.queue.enter('unknown', 100, () => {
        begun += 1;
        return true;
      });
    });
    loop.turn();
    expect([forgotten, begun]).toEqual([5000, 1]);
    expect(loop.queue.waiting).toBe(0);
  });

  it('does not expect all to take as long as one pause', () => {
    const { loop } = loaded(300, 1);
    loop.turn();
    loop.work(3_600_000);
    loop.turn();
    expect(loop.queue.callers.expectedMs).toBeLessThan(1500);
  });

  it('lets each begin exactly once, in the order of their coming within a rank', () => {
    const step = fc.record({
      come: fc.array(
        fc.record({ rank: fc.constantFrom(...ranks), bytes: fc.nat(200_000), cost: fc.nat(20) }),
        { maxLength: 60 },
      ),
      pause: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const loop = new FakeLoop();
        const begun: (readonly [Rank, number])[] = [];
        let count = 0;
        for (const { come, pause } of steps) {
          loop.turn(() => {
            for (const { rank, bytes, cost } of come) {
              const index = count;
              count += 1;
              loop.queue.enter(rank, bytes, () => {
                begun.push([rank, index]);
                loop.work(cost);
                return true;
              });
            }
          });
          loop.work(pause);
          expect(begun.length + loop.queue.waiting).toBe(count);
        }
        loop.finish();
        expect(loop.queue.waiting).toBe(0);
        expect(begun.map(([, index]) => index).toSorted((one, other) => one - other)).toEqual(
          Array.from({ length: count }, (_, index) => index),
        );
        for (const rank of ranks) {
          const ofRank = begun.filter(([one]) => one === rank).map(([, index]) => index);
          expect(ofRank).toEqual(ofRank.toSorted((one, other) => one - other));
        }
      }),
    );
  });
});
