import { describe, expect, it } from 'vitest';
import { overloadOptions } from '../../src/overload/options.ts';
import { readEveryMs, type Sheddable, Shedder, shedOrder } from '../../src/overload/shedder.ts';
import { FakeLoop } from './fake-loop.ts';

/** What happens at one time, in milliseconds since the beginning. */
interface Event {
  readonly at: number;
  /** Requests that come at once. */
  readonly requests?: number;
  /** Something else holds the loop up. */
  readonly pauseMs?: number;
}

/** 1 ms of the processor for each request: what a call with rules on its content costs. So 1,000 a second are the capacity. */
const costMs = 1;

/** Plays events, and gives what would be refused if chance always said so. @param callers who come back once they are served */
function refusedIn(events: readonly Event[], untilMs: number, callers = 0): readonly Sheddable[] {
  const loop = new FakeLoop();
  const shedder = new Shedder(overloadOptions.parse({ memory: 'off' }), () => 0, loop.queue);
  const refused = new Set<Sheddable>();
  const begin = loop.now;
  const due = events.toSorted((one, other) => other.at - one.at);
  let back = callers;
  let readAt = begin;
  const come = (isBack: boolean): void => {
    for (const kind of shedOrder) {
      if (shedder.sheds(kind, 'callers') || shedder.sheds(kind, 'strangers')) refused.add(kind);
    }
    loop.queue.enter('normal', 100, () => {
      shedder.enter();
      loop.work(costMs);
      shedder.leave();
      if (isBack) back += 1;
      return true;
    });
  };
  while (loop.now - begin < untilMs) {
    loop.turn(() => {
      const again = back;
      back = 0;
      for (let caller = 0; caller < again; caller += 1) come(true);
      while (due.length > 0 && begin + due.at(-1)!.at <= loop.now) {
        const { requests = 0, pauseMs = 0 } = due.pop()!;
        loop.work(pauseMs);
        for (let request = 0; request < requests; request += 1) come(false);
      }
    });
    if (loop.isIdle && back === 0) {
      const next = due.length === 0 ? Number.POSITIVE_INFINITY : begin + due.at(-1)!.at;
      loop.now = Math.max(loop.now, Math.min(next, readAt + readEveryMs));
    }
    const elapsedMs = loop.now - readAt;
    if (elapsedMs >= readEveryMs) {
      shedder.read({ delayMs: elapsedMs - readEveryMs, elapsedMs, memoryShare: 0 });
      readAt = loop.now;
    }
  }
  return [...refused];
}

const every = (ms: number, untilMs: number, event: Omit<Event, 'at'>): readonly Event[] =>
  Array.from({ length: Math.floor(untilMs / ms) }, (_, index) => ({ at: index * ms, ...event }));

/** Half of what the processor can do. */
const busy = every(2, 10_000, { requests: 1 });

describe('honest traffic below the capacity is not refused', () => {
  const causes: readonly (readonly [string, readonly Event[], callers?: number])[] = [
    ['all the time', busy],
    ['where four hundred callers fill the processor, and wait less than the target', [], 400],
    ['in a burst of five hundred after silence', [{ at: 3000, requests: 500 }, ...busy.slice(2000)]],
    [
      'in bursts of three hundred, one each second',
      [...every(1000, 10_000, { requests: 300 }), ...every(20, 10_000, { requests: 2 })],
    ],
    ['while an hour passes in which the machine slept', [...busy, { at: 2000, pauseMs: 3_600_000 }]],
    ...[150, 300, 900].map(
      (pauseMs) =>
        [
          `while ${pauseMs} ms go for garbage every two seconds, and what waited comes at once`,
          [...busy, ...every(2000, 10_000, { pauseMs, requests: 10 })],
        ] as const,
    ),
    [
      'while a large policy is read in two long steps',
      [...busy, { at: 2000, pauseMs: 300 }, { at: 2301, pauseMs: 300 }],
    ],
    [
      'while the control group takes the processor away for 80 of every 100 ms',
      every(100, 10_000, { pauseMs: 80, requests: 15 }),
    ],
    [
      'while another process takes it for 60 ms now and then',
      [...busy, ...every(200, 10_000, { pauseMs: 60 })],
    ],
    ['beside bodies of 4 MiB that take 50 ms a turn', [...busy, ...every(130, 10_000, { pauseMs: 50 })]],
    [
      'with fewer than eight callers, however late the loop',
      every(500, 10_000, { pauseMs: 490, requests: 5 }),
    ],
  ];
  for (const [cause, events, callers] of causes) {
    it(cause, () => expect(refusedIn(events, 10_000, callers)).toEqual([]));
  }
});

describe('what is beyond the capacity is refused', () => {
  it('within a second, in its order, where three times as much comes', () => {
    const thrice = every(1, 2000, { requests: 3 });
    expect(refusedIn(thrice, 300)).toEqual([]);
    expect(refusedIn(thrice, 900)).toContain('call-low');
    expect(refusedIn(thrice, 1200)).toEqual(shedOrder);
  });

  it('at once, where one burst would be worked off for seconds', () => {
    expect(
      refusedIn(
        [
          { at: 0, requests: 500 },
          { at: 200, requests: 5000 },
        ],
        300,
      ),
    ).toEqual(shedOrder);
  });

  it('in part, where a third more comes than can be served', () => {
    expect(refusedIn(every(3, 6000, { requests: 4 }), 6000)).toContain('session');
  });
});
