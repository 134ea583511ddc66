import { describe, expect, it } from 'vitest';
import { bytes, duration, rate } from '../../src/document/units.ts';

const message = (result: {
  success: boolean;
  error?: { issues: readonly { message: string }[] } | undefined;
}) => result.error?.issues[0]?.message;

describe('bytes', () => {
  const good: readonly [string | number, number][] = [
    [0, 0],
    [512, 512],
    ['512', 512],
    ['1B', 1],
    ['16KiB', 16384],
    ['4MiB', 4194304],
    ['4 MiB', 4194304],
    ['1GiB', 1073741824],
    ['1kB', 1000],
    ['2MB', 2000000],
  ];
  for (const [text, size] of good) {
    it(`reads ${JSON.stringify(text)}`, () => expect(bytes().parse(text)).toBe(size));
  }
  for (const text of [
    '',
    '1.5MiB',
    '-1',
    '1mib',
    '1M',
    '1KB',
    '0x10',
    '1e3',
    ' 1',
    '9999999999999999',
    -1,
    1.5,
    2 ** 60,
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(message(bytes().safeParse(text))).toBe('expected a size such as 64KiB or 4MiB');
    });
  }
  it('keeps bounds', () => {
    const bounded = bytes({ min: 10, max: 1024 });
    expect(bounded.parse('1KiB')).toBe(1024);
    expect(message(bounded.safeParse(9))).toBe('must be at least 10 bytes');
    expect(message(bounded.safeParse(1025))).toBe('must be at most 1024 bytes');
  });
});

describe('duration', () => {
  const good: readonly [string | number, number][] = [
    [0, 0],
    ['0', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ];
  for (const [text, span] of good) {
    it(`reads ${JSON.stringify(text)}`, () => expect(duration().parse(text)).toBe(span));
  }
  for (const text of ['', '30', 30, '1.5s', '-1s', '1 week', '1H', '1m30s']) {
    it(`refuses ${JSON.stringify(text)}: a bare number has no unit`, () => {
      expect(message(duration().safeParse(text))).toMatch(/^expected a time span with its unit/);
    });
  }
  it('refuses what a timer would fire at once', () => {
    expect(message(duration().safeParse('25d'))).toBe('must be at most 2147483647ms');
  });
});

describe('rate', () => {
  const good: readonly [string, number, number][] = [
    ['30/min', 30, 60_000],
    ['30/m', 30, 60_000],
    ['5/s', 5, 1000],
    ['1000/h', 1000, 3_600_000],
    ['100/10s', 100, 10_000],
    ['1 / day', 1, 86_400_000],
  ];
  for (const [text, count, periodMs] of good) {
    it(`reads ${text}`, () => expect(rate().parse(text)).toEqual({ count, periodMs }));
  }
  for (const text of ['0/s', '1/0s', '5', '5/fortnight', '-5/s', '1.5/s', '/s', '5/', 5]) {
    it(`refuses ${text}`, () => {
      expect(message(rate().safeParse(text))).toBe('expected a rate such as 30/min, 5/s or 100/10s');
    });
  }
});
