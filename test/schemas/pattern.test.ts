import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertedFormats, formatTest } from '../../src/schemas/formats.ts';
import { compilePattern } from '../../src/schemas/pattern.ts';

/** The expressions that zod writes for its formats, look-ahead and all, to the letter. */
const generated: readonly (readonly [string, readonly string[]])[] = [
  [
    "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
    ['a', '.', '-', '@', '+', 'b.cd', "'", '\n'],
  ],
  [
    "^(?!\\.)(?!.*\\.\\.)([a-zA-Z0-9_'+\\-\\.]*)[a-zA-Z0-9_+-]@([a-zA-Z0-9][a-zA-Z0-9\\-]*\\.)+[a-zA-Z]{2,}$",
    ['a', '.', '-', '@', '+', 'b.cd', "'", '\n'],
  ],
  [
    '^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+([.,]\\d+)?S)?)?)$',
    ['P', 'T', '1', '2.5', 'W', 'Y', 'M', 'D', 'H', 'S', '\n'],
  ],
  [
    '^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$',
    ['a', '-', '.', 'x'.repeat(62), 'y'.repeat(63), '\n'],
  ],
];

/** Expressions without look-around, of which tools make much use. */
const plain: readonly RegExp[] = [
  /^[a-z]+$/u,
  /a.c/u,
  /^\S+$/u,
  /[^\s]/u,
  /[\S]/u,
  /^\s*$/u,
  /\bword\b/u,
  /^(?:a|b)*$/u,
  /^\w{2,4}\d?$/u,
  /^[\w.-]+$/u,
  /[\]\\-]/u,
  /\u{1f600}|\u00e9/u,
  /^.$/u,
  /^[^.]$/u,
  /\//u,
  /^\p{L}+$/u,
  /a$/u,
  // As many servers write them, without the flag `u`.
  /^[\w\-.]+$/,
  /_-\//,
];
const pieces = [
  'a',
  'b',
  'c',
  'word',
  ' ',
  '\t',
  '\n',
  '\r',
  '\u2028',
  '\u00a0',
  '\ufeff',
  '\u180e',
  '\u000b',
  '.',
  '-',
  '_',
  '/',
  '\\',
  ']',
  '1',
  '\u00e9',
  '\u{1f600}',
  'A',
];

function texts(parts: readonly string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((chosen) => chosen.join(''));
}

describe('a pattern', () => {
  test.each(plain.map((expression) => [expression.source, expression] as const))(
    'means here what it means in ECMA-262: %s',
    (source, expression) => {
      const pattern = compilePattern(source, 4096);
      expect(pattern).toBeDefined();
      fc.assert(
        fc.property(texts(pieces), (text) => {
          expect([text, pattern!.test(text)]).toEqual([text, expression.test(text)]);
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(generated)('of the most used generator is known: %s', (source, parts) => {
    const expression = new RegExp(source);
    const pattern = compilePattern(source, 4096);
    expect(pattern).toBeDefined();
    fc.assert(
      fc.property(texts(parts), (text) => {
        expect([text, pattern!.test(text)]).toEqual([text, expression.test(text)]);
      }),
      { numRuns: 3000 },
    );
  });

  test('takes time in proportion to the text', () => {
    for (const source of ['^(a+)+$', '^(a|a)*$', '^(.*a){20}$', '(x+x+)+y']) {
      // Backtracking would not come to an end.
      expect(compilePattern(source, 4096)!.test(`${'a'.repeat(20_000)}!`)).toBe(false);
    }
  });
});

describe('formats', () => {
  test.each<[string, string, string]>([
    ['date', '2026-02-28', '2026-02-30'],
    ['time', '12:30:00Z', '25:00:00Z'],
    ['date-time', '2026-01-01T00:00:00Z', '2026-01-01'],
    ['iso-time', '12:30:00', '12:61:00'],
    ['iso-date-time', '2026-01-01T00:00:00', 'today'],
    ['duration', 'P1DT2H', 'P'],
    ['uri', 'https://a.example/b?c#d', '/b'],
    ['uri-reference', '/b', '\\\\b'],
    ['uri-template', 'https://a.example/{id}', 'https://a.example/{'],
    ['email', 'a@b.example', 'a@'],
    ['hostname', 'a.example', '-a.example'],
    ['ipv4', '192.0.2.1', '192.0.2.256'],
    ['ipv6', '2001:db8::1', '2001:db8::1::'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123e4567'],
    ['json-pointer', '/a/b~1c', 'a'],
    ['json-pointer-uri-fragment', '#/a', '/a'],
    ['relative-json-pointer', '1/a', '-1/a'],
  ])('%s', (format, good, bad) => {
    expect([formatTest(format)!(good), formatTest(format)!(bad)]).toEqual([true, false]);
  });

  test('are annotations where they are not known, or could not be judged in linear time', () => {
    for (const format of ['url', 'regex', 'byte', 'binary', 'idn-email', 'constructor', '']) {
      expect(formatTest(format)).toBeUndefined();
    }
  });

  test('take time in proportion to the text', () => {
    const long = 100_000;
    const attacks = [
      'a'.repeat(long),
      '1'.repeat(long),
      'a.'.repeat(long),
      'a-'.repeat(long),
      '1:'.repeat(long),
      '%61'.repeat(long),
      '{a}'.repeat(long),
      '/'.repeat(long),
      '@'.repeat(long),
      `a@${'a-'.repeat(long)}`,
      `a@${'a.'.repeat(long)}`,
      `http://${'a'.repeat(long)}`,
      `http://${'a:'.repeat(long)}`,
      `http://a@${'%61'.repeat(long)}`,
      `P${'1'.repeat(long)}`,
      `{${'a,'.repeat(long)}`,
      `12:00:00.${'1'.repeat(long)}`,
    ];
    // A quadratic one would need minutes.
    for (const format of assertedFormats) {
      for (const attack of attacks) expect(typeof formatTest(format)!(`${attack}\n`)).toBe('boolean');
    }
  });
});
