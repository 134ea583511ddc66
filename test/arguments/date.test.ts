import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../src/arguments/roles/instant.ts';
import { faultOf } from './support.ts';

describe('date', () => {
  test.each(['2026-01-31', '2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])('takes %s', (value) => {
    expect(faultOf({ date: {} }, value)).toBeUndefined();
  });

  test.each([
    '2026-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '2026-1-31',
    '26-01-31',
    '31.01.2026',
    '01/31/2026',
    '2026-01-31 ',
    '2026-01-31\n',
    "2026-01-31' OR '1'='1",
    '\uff12026-01-31',
    '\u0662\u0660\u0662\u0666-01-31',
    '+02026-01-31',
    '2026-W05-6',
    '2026-031',
    'yesterday',
    'now()',
    '',
  ])('refuses %j', (value) => {
    expect(faultOf({ date: {} }, value)).toBe('date:not-a-date');
  });

  test.each([20260131, null, ['2026-01-31']])('refuses %j, which is no text', (value) => {
    expect(faultOf({ date: {} }, value)).toBe('date:type');
  });

  test.each([
    [{}, '2026-01-31T12:00:00Z', 'has-time'],
    [{ time: 'allow' }, '2026-01-31T12:00:00Z', undefined],
    [{ time: 'allow' }, '2026-01-31', undefined],
    [{ time: 'require' }, '2026-01-31', 'needs-time'],
    [{ time: 'require' }, '2026-01-31T12:00:00.123456789+05:30', undefined],
    [{ time: 'require' }, '2026-01-31T12:00:00', 'needs-offset'],
    [{ time: 'require' }, '2026-01-31T12:00:00-00:00', 'needs-offset'],
    [{ time: 'require', offset: 'allow' }, '2026-01-31T12:00:00', undefined],
    [{ time: 'require', offset: 'never' }, '2026-01-31T12:00:00Z', 'has-offset'],
    [{ time: 'require' }, '2026-01-31T24:00:00Z', 'not-a-date'],
    [{ time: 'require' }, '2026-01-31T23:59:60Z', 'not-a-date'],
    [{ time: 'require' }, '2026-01-31t12:00:00z', 'not-a-date'],
    [{ time: 'require' }, '2026-01-31 12:00:00Z', 'not-a-date'],
    [{ time: 'require' }, '2026-01-31T12:00:00+24:00', 'not-a-date'],
    [{ time: 'require' }, '2026-01-31T12:00:00.Z', 'not-a-date'],
    [{ min: '2026-01-01' }, '2025-12-31', 'too-early'],
    [{ min: '2026-01-01', max: '2026-12-31' }, '2026-12-31', undefined],
    [{ max: '2026-12-31' }, '2027-01-01', 'too-late'],
    [{ time: 'allow', max: '2026-01-01T00:00:00Z' }, '2026-01-01T00:30:00+01:00', undefined],
    [{ time: 'allow', max: '2026-01-01T00:00:00Z' }, '2025-12-31T23:30:00-01:00', 'too-late'],
  ] as const)('%j of %s: %s', (date, value, fault) => {
    expect(faultOf({ date }, value)).toBe(fault === undefined ? undefined : `date:${fault}`);
  });

  test('every instant that JavaScript writes is read as that instant', () => {
    const min = new Date('0001-01-01T00:00:00Z');
    const max = new Date('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        expect(parseInstant(date.toISOString())).toEqual({
          ms: date.getTime(),
          hasTime: true,
          hasOffset: true,
        });
      }),
    );
  });
});
