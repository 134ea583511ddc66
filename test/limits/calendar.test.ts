import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ForwardClock, type Period, windowAt } from '../../src/limits/calendar.ts';

const periods: readonly Period[] = ['hour', 'day', 'month'];
const beginning = (period: Period, text: string): string => {
  const date = new Date(text);
  if (period === 'month') date.setUTCDate(1);
  if (period !== 'hour') date.setUTCHours(0);
  date.setUTCMinutes(0, 0, 0);
  return date.toISOString();
};

describe('windows of the calendar', () => {
  for (const [period, at, end] of [
    ['hour', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z'],
    ['day', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z'],
    ['month', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z'],
    ['month', '2027-01-01T00:00:00.000Z', '2027-02-01T00:00:00.000Z'],
    ['month', '2028-02-29T12:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['day', '2028-02-28T12:00:00.000Z', '2028-02-29T00:00:00.000Z'],
    ['month', '2100-02-28T23:59:59.999Z', '2100-03-01T00:00:00.000Z'],
    // A leap second is no second of this count: the hour ends where the next begins.
    ['hour', '2016-12-31T23:59:59.999Z', '2017-01-01T00:00:00.000Z'],
  ] as const) {
    test(`a ${period} that holds ${at} ends at ${end}`, () => {
      expect(new Date(windowAt(period, Date.parse(at)).end).toISOString()).toBe(end);
    });
  }

  test('follow one another without a gap, and no moment is in two', () => {
    const time = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) });
    fc.assert(
      fc.property(fc.constantFrom(...periods), time, (period, at) => {
        const { index, end } = windowAt(period, at);
        expect(end).toBeGreaterThan(at);
        expect(windowAt(period, end - 1)).toEqual({ index, end });
        expect(windowAt(period, end).index).toBe(index + 1);
        const start = Date.parse(beginning(period, new Date(at).toISOString()));
        expect(windowAt(period, start)).toEqual({ index, end });
        expect(windowAt(period, start - 1).index).toBe(index - 1);
      }),
    );
  });

  test('are the same wherever a process believes to be, also where clocks change there', () => {
    const file = join(import.meta.dirname, '../../src/limits/calendar.ts');
    // Clocks go forward in Berlin, and back in New York; Kiritimati is a day ahead.
    const times = [
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:30:00Z',
      '2026-11-01T05:30:00Z',
      '2026-10-31T23:00:00Z',
    ];
    const script =
      `import { windowAt } from ${JSON.stringify(file)};` +
      `console.log(JSON.stringify(${JSON.stringify(times)}.flatMap((t) => ` +
      `${JSON.stringify(periods)}.map((p) => windowAt(p, Date.parse(t))))));`;
    const inZone = (TZ: string): string =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        encoding: 'utf8',
        env: { ...process.env, TZ },
      });
    const utc = inZone('UTC');
    expect(JSON.parse(utc)).toHaveLength(12);
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Pacific/Kiritimati'])
      expect(inZone(zone)).toBe(utc);
  });
});

describe('a clock that goes forward only', () => {
  test('takes what is later from either clock, and never gives less than it gave', () => {
    const step = fc.record({
      ran: fc.integer({ min: 0, max: 10_000 }),
      set: fc.integer({ min: -9e6, max: 9e6 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const clock = new ForwardClock();
        let nowUs = 5_000_000;
        let wall = Date.UTC(2026, 0);
        let last = clock.at(wall, nowUs);
        for (const { ran, set } of steps) {
          nowUs += ran * 1000;
          wall += ran + set;
          const time = clock.at(wall, nowUs);
          expect(time).toBeGreaterThanOrEqual(Math.max(wall, last + ran));
          last = time;
        }
      }),
    );
  });
});
