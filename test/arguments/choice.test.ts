import { describe, expect, test } from 'vitest';
import { exact, faultOf } from './support.ts';

describe('bool', () => {
  test.each([true, false])('takes %s', (value) => {
    expect(faultOf({ bool: {} }, value)).toBeUndefined();
  });

  test.each(['true', 'false', '', 'yes', 0, 1, null, [true], { value: true }])('refuses %j', (value) => {
    expect(faultOf({ bool: {} }, value)).toBe('bool:type');
  });
});

describe('enum', () => {
  const spec = { enum: ['json', 'csv', 1, true, exact('9007199254740993')] };

  test.each(['json', 'csv', 1, 1.0, true, exact('9007199254740993')])('takes %j', (value) => {
    expect(faultOf(spec, value)).toBeUndefined();
  });

  test.each([
    'JSON',
    'json ',
    'json\u200b',
    'json\0',
    '\uff4ason',
    '1',
    'true',
    null,
    0,
    2,
    false,
    ['json'],
    { 0: 'json' },
    exact('9007199254740992'),
    '9007199254740993',
    9007199254740992,
    'constructor',
    'toString',
  ])('refuses %j', (value) => {
    expect(faultOf(spec, value)).toBe('enum:not-listed');
  });
});
