import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Claim, type Measure, type StoreEvent, unit } from '../../src/limits/contract.ts';
import { gcraRate } from '../../src/limits/gcra.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';

const noon = Date.UTC(2026, 4, 31, 12);
const hour = 3_600_000;

function claim(key: string, measure: Measure, units = 1, more: Partial<Claim> = {}): Claim {
  return {
    limit: key,
    key,
    measure,
    amount: Math.round(units * unit),
    enforced: true,
    onStoreLoss: 'local',
    ...more,
  };
}

const rate = (key: string, count: number, periodMs: number, burst: number, units?: number) =>
  claim(key, gcraRate(count, periodMs, burst), units);
const daily = (key: string, most: number, units?: number, more?: Partial<Claim>) =>
  claim(key, { kind: 'window', period: 'day', most: most * unit }, units, more);
const places = (key: string, most: number) => claim(key, { kind: 'places', most });

function makeStore(bounds: Partial<Parameters<typeof createMemoryStore>[0]> = {}) {
  const events: StoreEvent[] = [];
  const store = createMemoryStore(
    { rateKeys: 1000, quotaKeys: 1000, concurrencyKeys: 1000, ...bounds },
    (event) => events.push(event),
  );
  let holders = 0;
  return {
    store,
    events,
    /** @param at milliseconds since the start, of both clocks */
    take(claims: readonly Claim[], at = 0, holder = `holder-${holders++}`) {
      return store.take(claims, holder, at * 1000, noon + at);
    },
  };
}

/** `ok`, or which limits refused and when the call may come again. */
function told(taken: ReturnType<ReturnType<typeof makeStore>['take']>): unknown {
  if (taken.ok) return 'ok';
  if ('unavailable' in taken) return taken.unavailable;
  return taken.refused.map(({ claim: { limit }, retryAfterMs }) => [limit, retryAfterMs]);
}

describe('limits counted in memory', () => {
  test('all claims are charged or none, across rates, windows and places', () => {
    const { take, store } = makeStore();
    const all = [rate('r', 1, 1000, 5), daily('d', 2), places('p', 9)];
    expect(told(take(all))).toBe('ok');
    expect(told(take(all))).toBe('ok');
    for (let again = 0; again < 10; again += 1) expect(told(take(all))).toEqual([['d', 12 * hour]]);
    // Neither the rate nor the places have been touched by what the quota refused.
    const taken = take([rate('r', 1, 1000, 5), places('p', 3)]);
    expect(taken).toMatchObject({ ok: true, left: [{ remaining: 2 }] });
    expect(told(take([places('p', 3)]))).toEqual([['p', undefined]]);
    expect(store.size).toBe(3);
  });

  test('a window is one of the calendar, in UTC', () => {
    const windows = [
      ['hour', hour],
      ['day', 12 * hour],
      ['month', 12 * hour],
    ] as const;
    for (const [period, toBorder] of windows) {
      const { take } = makeStore();
      const one = () => [claim(period, { kind: 'window', period, most: unit })];
      expect(told(take(one()))).toBe('ok');
      expect(told(take(one(), 1))).toEqual([[period, toBorder - 1]]);
      expect(told(take(one(), toBorder - 1))).toEqual([[period, 1]]);
      expect(told(take(one(), toBorder))).toBe('ok');
      expect(told(take(one(), toBorder))).not.toBe('ok');
    }
  });

  test('a clock that is set back gives no quota anew, and stops none for longer than its window', () => {
    const { store } = makeStore();
    const ask = (monotonicMs: number, time: number) =>
      told(store.take([daily('d', 1)], 'h', monotonicMs * 1000, time));
    expect(ask(0, noon)).toBe('ok');
    // By a day, by a year, for a minute: the quota stays used up.
    for (const back of [24 * hour, 366 * 24 * hour, 60_000]) expect(ask(1000, noon - back)).not.toBe('ok');
    // Forward by a year: a new window, once. Then the clock is mended, and the year does not begin again.
    const wrong = noon + 366 * 24 * hour;
    expect(ask(2000, wrong)).toBe('ok');
    expect(ask(3000, noon)).not.toBe('ok');
    expect(ask(4000, wrong)).not.toBe('ok');
    expect(ask(5000 + 24 * hour, noon + 24 * hour)).toBe('ok');
  });

  test('a call that began before midnight and is taken after it counts with those after it', () => {
    const { take } = makeStore();
    const midnight = 12 * hour;
    expect(told(take([daily('d', 2)], midnight))).toBe('ok');
    expect(told(take([daily('d', 2)], midnight - 1))).toBe('ok');
    expect(told(take([daily('d', 2)], midnight - 1))).toEqual([['d', 24 * hour + 1]]);
    expect(told(take([daily('d', 2)], midnight + 1))).toEqual([['d', 24 * hour - 1]]);
  });

  test('amounts in parts of a unit add up exactly', () => {
    const { take } = makeStore();
    for (let index = 0; index < 1000; index += 1) expect(told(take([daily('d', 100, 0.1)]))).toBe('ok');
    expect(told(take([daily('d', 100, 0.001)]))).toEqual([['d', 12 * hour]]);
    expect(told(take([daily('d', 100, 0)]))).toBe('ok');
  });

  test('what asks for more than there ever is has no time to wait for', () => {
    const { take } = makeStore();
    expect(told(take([daily('d', 100, 100.001)]))).toEqual([['d', undefined]]);
    expect(told(take([rate('r', 10, 1000, 5, 6)]))).toEqual([['r', undefined]]);
    expect(told(take([daily('d', 100, 100), rate('r', 10, 1000, 5, 5)]))).toBe('ok');
  });

  test('a shadow claim refuses nothing, is told, and is charged where it fits', () => {
    const { take } = makeStore();
    const shadow = daily('s', 1, 1, { enforced: false });
    expect(take([shadow])).toMatchObject({ ok: true, shadow: [], left: [] });
    expect(take([shadow, daily('d', 5)])).toMatchObject({
      ok: true,
      shadow: [{ claim: { limit: 's' }, retryAfterMs: 12 * hour }],
      left: [{ remaining: 4 }],
    });
  });

  test('tells what is left, in whole units', () => {
    const { take } = makeStore();
    const taken = take([daily('d', 10, 2.5), rate('r', 10, 1000, 10, 2.5), places('p', 1)]);
    expect(taken).toMatchObject({
      ok: true,
      left: [
        { claim: { limit: 'd' }, remaining: 7, resetMs: 12 * hour },
        { claim: { limit: 'r' }, remaining: 7, resetMs: 250 },
      ],
      held: [{ limit: 'p' }],
    });
  });

  test('peeking charges nothing, and refuses only what a call would be refused', () => {
    const { take, store } = makeStore();
    const peek = (claims: readonly Claim[], at = 0) => store.peek(claims, at * 1000, noon + at)?.claim.limit;
    const claims = [rate('r', 1, 1000, 1), daily('d', 1), places('p', 1)];
    for (let again = 0; again < 5; again += 1) expect(peek(claims)).toBeUndefined();
    expect(told(take(claims))).toBe('ok');
    expect(peek(claims)).toBe('d');
    expect(peek([claims[0]!])).toBe('r');
    expect(peek([claims[2]!])).toBeUndefined();
    expect(peek([{ ...claims[1]!, enforced: false }])).toBeUndefined();
    expect(peek(claims, 12 * hour)).toBeUndefined();
    expect(peek([daily('d', 1, 2)], 12 * hour)).toBe('d');
  });

  test('a full table refuses new keys until a count in it is worth nothing', () => {
    const { take, events } = makeStore({ rateKeys: 2, quotaKeys: 2, concurrencyKeys: 2 });
    for (const key of ['a', 'b']) {
      expect(told(take([rate(key, 1, 1000, 1), daily(key, 5), places(key, 1)], 0, key))).toBe('ok');
    }
    expect(told(take([rate('c', 1, 1000, 1)]))).toBe('full');
    expect(told(take([daily('c', 5)]))).toBe('full');
    expect(told(take([places('c', 5)]))).toBe('full');
    expect(events).toEqual(Array.from({ length: 3 }, () => ({ kind: 'full', limit: 'c' })));
    expect(told(take([daily('a', 5)]))).toBe('ok');
    expect(told(take([rate('c', 1, 1000, 1)], 1000))).toBe('ok');
    expect(told(take([daily('c', 5)], 12 * hour))).toBe('ok');
  });

  test('a full table never stops a call for the sake of a limit that only watches', () => {
    const { take, events } = makeStore({ quotaKeys: 1 });
    expect(told(take([daily('a', 5)]))).toBe('ok');
    expect(told(take([daily('b', 5, 1, { enforced: false })]))).toBe('ok');
    expect(events).toEqual([{ kind: 'full', limit: 'b' }]);
    expect(told(take([rate('r', 1, 1000, 1), daily('b', 5)]))).toBe('full');
    expect(told(take([rate('r', 1, 1000, 1)]))).toBe('ok');
  });

  test('places never exceed their number and never leak, however they are taken and given back', () => {
    const steps = fc.array(
      fc.record({ key: fc.constantFrom('x', 'y'), holder: fc.nat(5), release: fc.boolean() }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (all, most) => {
        const { store } = makeStore();
        const model = new Map<string, Set<number>>([
          ['x', new Set()],
          ['y', new Set()],
        ]);
        for (const { key, holder, release } of all) {
          const held = model.get(key)!;
          if (release) {
            store.release([places(key, most)], `holder-${holder}`);
            held.delete(holder);
            continue;
          }
          const taken = store.take([places(key, most)], `holder-${holder}`, 0, noon);
          expect(taken.ok).toBe(held.has(holder) || held.size < most);
          if (taken.ok) held.add(holder);
          expect(held.size).toBeLessThanOrEqual(most);
        }
        for (const [key, held] of model) {
          for (const holder of held) store.release([places(key, most)], `holder-${holder}`);
        }
        expect(store.size).toBe(0);
      }),
    );
  });

  test('no schedule of calls gets more than a window has, nor more than a burst and its rate', () => {
    const step = fc.record({
      gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 * hour })),
      jump: fc.oneof(fc.constant(0), fc.integer({ min: -50 * hour, max: 50 * hour })),
      amount: fc.integer({ min: 0, max: 4000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { store } = makeStore();
        const most = 5 * unit;
        let at = 0;
        let offset = 0;
        let ahead = Number.NEGATIVE_INFINITY;
        const spent = new Map<number, number>();
        const rated: { readonly at: number; readonly amount: number }[] = [];
        for (const { gap, jump, amount } of steps) {
          at += gap;
          offset += jump;
          ahead = Math.max(ahead, offset);
          const measured = amount / unit;
          const claims = [daily('d', 5, measured), rate('r', 1, hour, 3, measured)];
          if (!store.take(claims, 'h', at * 1000, noon + at + offset).ok) continue;
          // The clock as it stands when going back is not allowed to it.
          const day = Math.floor((noon + at + ahead) / (24 * hour));
          spent.set(day, (spent.get(day) ?? 0) + amount);
          expect(spent.get(day)).toBeLessThanOrEqual(most);
          rated.push({ at, amount });
          for (const { at: from } of rated) {
            const sum = rated.filter((one) => one.at >= from).reduce((all, one) => all + one.amount, 0);
            expect(sum).toBeLessThanOrEqual((3 + (at - from) / hour) * unit + 1e-6);
          }
        }
      }),
    );
  });
});
