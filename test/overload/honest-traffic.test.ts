import { describe, expect, it } from 'vitest';
import { overloadOptions } from '../../src/overload/options.ts';
import { readEveryMs, type Sheddable, Shedder, shedOrder } from '../../src/overload/shedder.ts';

/** One turn of the event loop: how long something else holds it, when in the turn, and the requests that it reads. */
interface Turn {
  readonly requests: number;
  readonly pauseMs?: number;
  /** The pause comes after so many of the requests. */
  readonly after?: number;
}

/** 1 ms of the processor for each request: what a call with rules on its content costs. */
const costMs = 1;

/** Plays turns, and gives what would be refused if chance always said so. */
function refusedIn(turns: readonly Turn[]): readonly Sheddable[] {
  let now = 0;
  const shedder = new Shedder(
    overloadOptions.parse({ memory: 'off' }),
    () => 0,
    () => now,
  );
  const refused = new Set<Sheddable>();
  let readAt = 0;
  for (const { requests, pauseMs = 0, after = 0 } of turns) {
    for (let read = 0; read <= requests; read += 1) {
      if (read === after) now += pauseMs;
      if (read === requests) break;
      shedder.enter();
      for (const kind of shedOrder) if (shedder.sheds(kind)) refused.add(kind);
      now += costMs;
      shedder.leave();
    }
    now = Math.max(now, readAt + readEveryMs);
    shedder.read({ delayMs: now - readAt - readEveryMs, elapsedMs: now - readAt, memoryShare: 0 });
    readAt = now;
  }
  return [...refused];
}

const times = (count: number, ...turns: readonly Turn[]): readonly Turn[] =>
  Array.from({ length: count }, () => turns).flat();

/** Half of what the processor can do. */
const busy: Turn = { requests: 10 };

describe('honest traffic below the capacity is not refused', () => {
  const causes: readonly (readonly [string, readonly Turn[]])[] = [
    ['all the time', times(500, busy)],
    ['where the processor is full, and its queue stays below the target', times(500, { requests: 90 })],
    [
      'in a burst of two hundred after silence',
      [...times(50, { requests: 0 }), { requests: 200 }, ...times(50, busy)],
    ],
    [
      'in bursts of a hundred and fifty, one each second',
      times(10, { requests: 150 }, ...times(42, { requests: 2 })),
    ],
    [
      'while an hour passes in which the machine slept',
      [...times(50, busy), { requests: 10, pauseMs: 3_600_000, after: 3 }, ...times(50, busy)],
    ],
    ...[0, 1, 5].flatMap((after) =>
      [150, 300, 900].map(
        (pauseMs) =>
          [
            `while ${pauseMs} ms go for garbage after ${after} requests, and what waited comes at once`,
            times(5, ...times(50, busy), { requests: 10 + Math.min(150, pauseMs / 2), pauseMs, after }),
          ] as const,
      ),
    ),
    [
      'while a large policy is read in two long steps',
      [
        ...times(50, busy),
        { requests: 10, pauseMs: 600 },
        { requests: 150, pauseMs: 600 },
        { requests: 100 },
        ...times(50, busy),
      ],
    ],
    [
      'while the control group takes the processor away for 80 of every 100 ms',
      times(200, { requests: 10, pauseMs: 80, after: 5 }),
    ],
    [
      'while another process takes it for 60 ms now and then',
      times(100, { requests: 20, pauseMs: 60, after: 3 }, busy, busy),
    ],
    [
      'beside one body of 4 MiB that takes 50 ms a turn',
      times(5, ...times(4, { requests: 20, pauseMs: 50, after: 1 }), ...times(20, busy)),
    ],
    [
      'with fewer than eight callers, however late the loop',
      times(100, { requests: 5, pauseMs: 500, after: 2 }),
    ],
  ];
  for (const [cause, turns] of causes) {
    it(cause, () => expect(refusedIn(turns)).toEqual([]));
  }

  it('and what is beyond the capacity is, within four turns', () => {
    expect(refusedIn(times(4, { requests: 500 }))).toEqual(shedOrder);
    expect(refusedIn(times(8, { requests: 180 }))).toContain('session');
    expect(refusedIn(times(40, { requests: 180 }))).toContain('call-low');
  });
});
