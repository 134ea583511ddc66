import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compilePattern,
  patternFault,
  resourcePatternFault,
  type Separator,
} from '../../src/policy/pattern.ts';

function matches(pattern: string, name: string, separator?: Separator): boolean {
  return compilePattern(pattern, separator).matches(name);
}

describe('a pattern for names without segments', () => {
  const table: readonly [string, readonly string[], readonly string[]][] = [
    ['echo', ['echo'], ['Echo', 'ech', 'echo ', 'echoo', ' echo', 'echo\0', 'еcho', 'ｅcho', '']],
    ['get_*', ['get_', 'get_a', 'get_a/b', 'get_*'], ['get', 'Get_a', 'xget_a', 'get-a', 'ɡet_a']],
    ['*', ['', 'anything', 'a/b'], []],
    ['*_admin', ['_admin', 'x_admin', '_admin_admin'], ['_admin2', 'admin', 'x_Admin']],
    ['a*b*c', ['abc', 'aXbYc', 'abbcc', 'abcbc'], ['ab', 'acb', 'abcd', 'xabc']],
    ['a**c', ['ac', 'abc', 'a/b/c'], ['ab']],
    ['*a*', ['a', 'bab'], ['b', '']],
    ['ab*ba', ['abba', 'abxba'], ['aba', 'ab', 'ba']],
    ['a?c', ['a?c'], ['abc', 'ac']],
    ['a.c', ['a.c'], ['abc']],
    ['[ab]', ['[ab]'], ['a', 'b']],
    ['a|b', ['a|b'], ['a', 'b']],
    ['$^', ['$^'], ['']],
  ];
  for (const [pattern, yes, no] of table) {
    it(`${pattern} matches exactly what it says`, () => {
      for (const name of yes) expect(matches(pattern, name), name).toBe(true);
      for (const name of no) expect(matches(pattern, name), name).toBe(false);
    });
  }
});

describe('a pattern for URIs', () => {
  const table: readonly [string, readonly string[], readonly string[]][] = [
    [
      'file:///reports/*',
      ['file:///reports/', 'file:///reports/a.txt'],
      ['file:///reports/a/b', 'file:///reports', 'file:///reportsx'],
    ],
    [
      'file:///reports/**',
      ['file:///reports/', 'file:///reports/a/b', 'file:///reports/a'],
      ['file:///reports', 'file:///report'],
    ],
    [
      'file:///*/public/*',
      ['file:///a/public/x', 'file:////public/'],
      ['file:///a/b/public/x', 'file:///a/public/x/y', 'file:///a/private/x'],
    ],
    [
      'file:///**/public/*',
      ['file:///a/b/public/x', 'file:////public/x', 'file:///public/public/x'],
      ['file:///public/x', 'file:///a/public/x/y'],
    ],
    ['**/secret', ['a/secret', 'a/b/secret', '/secret'], ['secret', 'a/secret/', 'a/secretx']],
    ['a/*b*/c', ['a/b/c', 'a/xbx/c'], ['a/b/x/c', 'a/x/b/c', 'a//c']],
    ['a/**b', ['a/b', 'a/x/b', 'a/xb'], ['ab', 'a/b/']],
    ['*', ['', 'abc'], ['a/b', '/']],
    ['db://t/{id}', ['db://t/{id}'], ['db://t/1']],
  ];
  for (const [pattern, yes, no] of table) {
    it(`${pattern} keeps * within a segment`, () => {
      for (const name of yes) expect(matches(pattern, name, '/'), name).toBe(true);
      for (const name of no) expect(matches(pattern, name, '/'), name).toBe(false);
    });
  }
});

/** The meaning of a pattern, slowly: by what remains of pattern and name. */
function reference(pattern: string, name: string, separator: Separator): boolean {
  if (pattern === '') return name === '';
  const run = /^\*+/.exec(pattern)?.[0] ?? '';
  if (run === '')
    return name !== '' && name[0] === pattern[0] && reference(pattern.slice(1), name.slice(1), separator);
  const rest = pattern.slice(run.length);
  const crosses = run.length > 1 || separator === undefined;
  for (let taken = 0; taken <= name.length; taken++) {
    if (taken > 0 && !crosses && name[taken - 1] === separator) return false;
    if (reference(rest, name.slice(taken), separator)) return true;
  }
  return false;
}

describe('matching', () => {
  const letters = fc.constantFrom('a', 'b', '/');
  const name = fc.array(letters, { maxLength: 9 }).map((parts) => parts.join(''));
  const pattern = fc
    .array(fc.oneof(letters, fc.constantFrom('*', '**')), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(''));

  it('agrees with the definition', () => {
    let matched = 0;
    fc.assert(
      fc.property(pattern, name, fc.constantFrom(undefined, '/' as const), (text, value, separator) => {
        const expected = reference(text, value, separator);
        if (expected) matched += 1;
        expect(matches(text, value, separator)).toBe(expected);
      }),
      { numRuns: 20_000 },
    );
    expect(matched).toBeGreaterThan(500);
  });

  it('takes no exponential time: patterns on which backtracking never ends answer', () => {
    const evil = `${'a'.repeat(8000)}b`;
    expect(matches('*a'.repeat(60), evil)).toBe(false);
    expect(matches(`${'*a'.repeat(60)}*c`, evil, '/')).toBe(false);
    expect(matches(`${'**a*'.repeat(40)}c`, evil, '/')).toBe(false);
    expect(matches(`${'**a*'.repeat(40)}b`, evil, '/')).toBe(true);
  });

  it('is the same however often it is asked', () => {
    const compiled = compilePattern('**a*b', '/');
    for (let i = 0; i < 3; i++) {
      expect(compiled.matches('x/a/ab')).toBe(true);
      expect(compiled.matches('x/a/a/b')).toBe(false);
    }
  });
});

describe('patternFault', () => {
  for (const text of ['', ' a', 'a ', 'a\nb', 'a\0', '\ud800', 'x'.repeat(1025)]) {
    it(`finds fault with ${JSON.stringify(text.slice(0, 12))}`, () =>
      expect(patternFault(text)).toBeTypeOf('string'));
  }
  it('finds none with what is ordinary', () => {
    for (const text of ['a', '*', 'a b', 'é', '😀', 'x'.repeat(1024)])
      expect(patternFault(text)).toBeUndefined();
  });
});

describe('what is wrong with a pattern is said', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['', 'a pattern must not be empty'],
    ['x'.repeat(1025), 'a pattern must not be longer than 1024 characters'],
    ['a\tb', 'a pattern must not contain control characters'],
    ['\u007f', 'a pattern must not contain control characters'],
    ['\u001f', 'a pattern must not contain control characters'],
    ['a\ud800b', 'a pattern must not contain half a surrogate pair'],
    [' a', 'a pattern must not begin or end with white space'],
    ['a\u00a0', 'a pattern must not begin or end with white space'],
  ];
  it.each(rows)('%j', (text, fault) => {
    expect(patternFault(text)).toBe(fault);
  });
});

describe('a resource pattern', () => {
  const never: readonly (readonly [string, string])[] = [
    ['FILE:///a', 'schemes are in lower case'],
    ['fiLe:///a', 'schemes are in lower case'],
    ['File:x', 'schemes are in lower case'],
    ['filE:x', 'schemes are in lower case'],
    ['X:y', 'schemes are in lower case'],
    ['file:///a/./b', 'names have no dot segments'],
    ['file:///a/../b', 'names have no dot segments'],
    ['file:///a/..', 'names have no dot segments'],
    ['file:///a/.', 'names have no dot segments'],
    ['../a', 'names have no dot segments'],
    ['./a', 'names have no dot segments'],
    ['.', 'names have no dot segments'],
    ['file:///a//b', 'names have no empty segments'],
    ['file:///a/b/c//', 'names have no empty segments'],
    ['https://host/a//**', 'names have no empty segments'],
    ['https://host//a//b', 'names have no empty segments'],
    ['file:///é', 'other than ASCII characters are percent-encoded as UTF-8'],
    ['file:///a b', 'other than ASCII characters are percent-encoded as UTF-8'],
    ['file:///%2f', 'percent-encoding is in upper case'],
    ['file:///%2', 'percent-encoding is in upper case'],
    ['file:///%', 'percent-encoding is in upper case'],
    ['file:///%GG', 'percent-encoding is in upper case'],
    ['file:///%aF', 'percent-encoding is in upper case'],
  ];
  it.each(never)('%s can never match', (text, reason) => {
    expect(resourcePatternFault(text)).toBe(`the pattern "${text}" can never match: ${reason}`);
  });

  it.each([
    'file:///A/B',
    'file:///a/B:c',
    'https://host/A:B',
    '*/A:b',
    'a/B:c',
    'file:///.hidden',
    'file:///a/...',
    'file:///a/..b',
    'file:///a./b',
    'file:///a.b/c..',
    'file:///a/**',
    'https://host/a/b/c',
    'file:///',
    'file:///%2F%C3%A9',
    '**',
    'urn:a:B',
    'x:?A:b',
    'x:#A:b',
  ])('%s may', (text) => {
    expect(resourcePatternFault(text)).toBeUndefined();
  });
});

describe('a pattern is known by its beginning', () => {
  it.each([
    ['echo', 'echo', true],
    ['get_*', 'get_', false],
    ['*', '', false],
    ['a*b*c', 'a', false],
    ['**', '', false],
  ])('%s', (text, literal, exact) => {
    for (const separator of [undefined, '/', '.'] as const) {
      expect(compilePattern(text, separator)).toMatchObject({ text, literal, exact });
    }
  });

  it('and a wildcard keeps within its own kind of segment', () => {
    expect(matches('*.a', 'x.a', '.')).toBe(true);
    expect(matches('*.a', 'x/y.a', '.')).toBe(true);
    expect(matches('*.a', 'x.y.a', '.')).toBe(false);
    expect(matches('**.a', 'x.y.a', '.')).toBe(true);
    expect(matches('a*', 'a.b', '.')).toBe(false);
    expect(matches('a*', 'a/b', '.')).toBe(true);
    expect(matches('a.*', 'a.', '.')).toBe(true);
    expect(matches('a.*', 'a.a.', '.')).toBe(false);
  });

  it('and each text between wildcards takes a place of its own', () => {
    expect(matches('a*aa*a', 'aaa')).toBe(false);
    expect(matches('a*aa*a', 'aaaa')).toBe(true);
    expect(matches('*ab*ab', 'ab')).toBe(false);
    expect(matches('*ab*ab', 'abab')).toBe(true);
    expect(matches('*aba*ba', 'ababa')).toBe(true);
    expect(matches('*aba*ba', 'aba')).toBe(false);
    expect(matches('*abc*', 'ab')).toBe(false);
    expect(matches('x*abc*d', 'xabcabd')).toBe(true);
    expect(matches('x*abc*d', 'xababd')).toBe(false);
  });
});
