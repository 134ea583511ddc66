import { describe, expect, test } from 'vitest';
import { exact, faultOf } from './support.ts';

describe('int', () => {
  test.each([0, 1, -1, 1.0, -0, 1e3, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    'takes %s',
    (value) => {
      expect(faultOf({ int: {} }, value)).toBeUndefined();
    },
  );

  test.each([
    ['text', '1', 'type'],
    ['text that is empty', '', 'type'],
    ['true', true, 'type'],
    ['null', null, 'type'],
    ['a list of one', [1], 'type'],
    ['an object', { rawJSON: '1' }, 'type'],
    ['a fraction', 1.5, 'not-whole'],
    ['the smallest fraction', Number.MIN_VALUE, 'not-whole'],
    ['beyond what doubles hold', exact('9007199254740993'), 'above-max'],
    ['far beyond', exact('18446744073709551616'), 'above-max'],
    ['below', exact('-9007199254740993'), 'below-min'],
    ['a huge double', 1e300, 'above-max'],
  ] as const)('refuses %s', (_what, value, fault) => {
    expect(faultOf({ int: {} }, value)).toBe(`int:${fault}`);
  });

  test('compares exactly beyond 2^53', () => {
    const spec = { int: { min: 0, max: exact('9007199254740993') } };
    expect(faultOf(spec, exact('9007199254740993'))).toBeUndefined();
    expect(faultOf(spec, exact('9007199254740994'))).toBe('int:above-max');
    expect(faultOf(spec, 9007199254740992)).toBeUndefined();
  });

  test.each([
    [{ min: 1, max: 10 }, 1, undefined],
    [{ min: 1, max: 10 }, 10, undefined],
    [{ min: 1, max: 10 }, 0, 'int:below-min'],
    [{ min: 1, max: 10 }, 11, 'int:above-max'],
    [{ min: 0 }, -0, undefined],
    [{ multipleOf: 5 }, 15, undefined],
    [{ multipleOf: 5 }, -15, undefined],
    [{ multipleOf: 5 }, 16, 'int:not-a-multiple'],
  ])('%j of %s: %s', (int, value, fault) => {
    expect(faultOf({ int }, value)).toBe(fault);
  });
});

describe('number', () => {
  test.each([
    [{}, 1.5, undefined],
    [{}, exact('123456789012345678901234567890'), undefined],
    [{}, '1.5', 'number:type'],
    [{}, null, 'number:type'],
    [{}, false, 'number:type'],
    [{ min: 0.5, max: 1.5 }, 0.5, undefined],
    [{ min: 0.5, max: 1.5 }, 0.49999, 'number:below-min'],
    [{ min: 0.5, max: 1.5 }, 1.50001, 'number:above-max'],
    [{ max: '9007199254740992' }, exact('9007199254740993'), 'number:above-max'],
  ])('%j of %s: %s', (number, value, fault) => {
    expect(faultOf({ number }, value)).toBe(fault);
  });
});
