import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CharacterClass,
  characterClasses,
  findCharacters,
  stripCharacters,
} from '../../src/values/characters.ts';

const all: ReadonlySet<CharacterClass> = new Set(characterClasses);
const only = (which: CharacterClass): ReadonlySet<CharacterClass> => new Set([which]);
const tagged = (text: string): string =>
  [...text].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
/** The channel that carries a byte in each selector. */
const selectors = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe00f0 + byte))
    .join('');

/** Class, disguise, and what is left of it. */
const disguises: readonly (readonly [CharacterClass, string, string])[] = [
  ['ansi', 'a\u001b[31mred\u001b[0m', 'ared'],
  ['ansi', 'a\u001b[1;38;5;196;48:2::1:2:3mb', 'ab'],
  ['ansi', 'a\u009b2Jb', 'ab'],
  ['ansi', 'a\u001b[?25lb', 'ab'],
  ['ansi', 'a\u001b[2 qb', 'ab'],
  ['ansi', 'a\u001b]0;title\u0007b', 'ab'],
  ['ansi', 'a\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\b', 'alinkb'],
  ['ansi', 'a\u001b]52;c;aGk=\u009cb', 'ab'],
  ['ansi', 'a\u009d0;title\u0007b', 'ab'],
  ['ansi', 'a\u0090payload\u001b\\b', 'ab'],
  ['ansi', 'a\u001bPpayload\u001b\\b', 'ab'],
  ['ansi', 'a\u001b_payload\u009cb', 'ab'],
  ['ansi', `a\u001b]0;${'x'.repeat(10_000)}\u0007b`, 'ab'],
  ['ansi', 'a\u001b]0;no end', 'a0;no end'],
  ['ansi', 'a\u001bcb', 'ab'],
  ['ansi', 'a\u001b(0b', 'ab'],
  ['ansi', 'a\u001b', 'a'],
  ['ansi', 'a\u001b\u001b[31mb', 'ab'],
  ['ansi', 'a\u001b[\u001b[31mb', 'ab'],
  ['ansi', 'a\u0085b', 'ab'],
  ['control', 'a\u0000b', 'ab'],
  ['control', 'a\u0008\u0008b', 'ab'],
  ['control', 'a\u007fb\u009fc', 'abc'],
  ['control', 'a\u000b\u000cb', 'ab'],
  ['bidi', 'a\u202eb\u202cc', 'abc'],
  ['bidi', 'a\u2066b\u2069c\u200ed\u200fe\u061cf', 'abcdef'],
  ['tags', `a${tagged('ignore all')}b`, 'ab'],
  ['tags', `a\u{1f3f4}${tagged('gbeng')}${tagged('hidden')}\u{e007f}b`, 'a\u{1f3f4}b'],
  ['tags', `a\u{1f3f4}${tagged('ussecret')}\u{e007f}b`, 'a\u{1f3f4}b'],
  ['tags', 'a\u{e0001}b', 'ab'],
  ['invisible', 'p\u200ba\u200cs\u200ds\u2060w\ufefford', 'password'],
  ['invisible', 'a\u00adb\u034fc\u3164d\u115fe\u1160f\uffa0g', 'abcdefg'],
  ['invisible', `a\u{1f600}${selectors('hidden')}b`, 'a\u{1f600}b'],
  ['invisible', [...'a row'].map((letter) => `${letter}\ufe01`).join(''), 'a row'],
  ['invisible', 'a\ufe0fb', 'ab'],
  ['invisible', '\u{1f600}\ufe0f\ufe0f\ufe0e', '\u{1f600}\ufe0f'],
  ['invisible', '\u0645\u200c\u200c\u200d\u200c\u06cc', '\u0645\u06cc'],
  ['invisible', 'a\u200db', 'ab'],
  ['invisible', 'a\u2061\u2062\u2063\u2064b\u206a\u206fc', 'abc'],
  ['invisible', 'a\ufff9b\ufffac\ufffbd', 'abcd'],
  ['invisible', 'a\u{1d173}b\u{e0100}c\u{e0fff}d\u180eb', 'abcdb'],
  ['invisible', 'a\u17b4\u17b5b', 'ab'],
];

const honest: Readonly<Record<string, string>> = {
  'tabs and lines': 'a\tb\r\nc\nd',
  'line separators': 'a\u2028b\u2029c',
  'a family': '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}',
  'a tinted profession': '\u{1f469}\u{1f3fd}\u200d\u{1f680}',
  'a heart on fire': '\u2764\ufe0f\u200d\u{1f525}',
  'the rainbow flag': '\u{1f3f3}\ufe0f\u200d\u{1f308}',
  'the flag of pirates': '\u{1f3f4}\u200d\u2620\ufe0f',
  'a keycap': '1\ufe0f\u20e3 #\ufe0f\u20e3',
  'signs in two styles': '\u00a9\ufe0f \u263a\ufe0e \u2194\ufe0f',
  'flags of countries': '\u{1f1e9}\u{1f1ea}\u{1f1fa}\u{1f1e6}',
  'flags of regions': ['gbeng', 'gbsct', 'gbwls']
    .map((region) => `\u{1f3f4}${tagged(region)}\u{e007f}`)
    .join(''),
  Arabic:
    '\u0627\u0644\u0633\u064e\u0651\u0644\u064e\u0627\u0645\u064f \u0639\u064e\u0644\u064e\u064a\u0652\u0643\u064f\u0645\u0652',
  Hebrew: '\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u05e2\u05b2\u05dc\u05b5\u05d9\u05db\u05b6\u05dd',
  Persian: '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u06a9\u062a\u0627\u0628\u200c\u0647\u0627',
  Hindi: '\u0915\u094d\u200d\u0937 \u0930\u094d\u200d\u092f',
  Sinhala: '\u0dc1\u0dca\u200d\u0dbb\u0dd3',
  Mongolian: '\u182e\u1823\u1829\u182d\u1823\u182f\u180b',
  Khmer: '\u1781\u17d2\u1789\u17bb\u17c6\u200b\u179f\u17d2\u179a\u17a1\u17b6\u1789\u17cb',
  Japanese: '\u6f22\u5b57\u3068\u4eee\u540d\u3001\uff21\uff22\uff23',
  accents: 'e\u0301 \u00e9 Z\u0324\u0348\u0301',
};

describe('characters that are not seen', () => {
  test.each(disguises)('%s: %j', (which, given, left) => {
    expect(findCharacters(given, only(which))).toBe(which);
    expect(stripCharacters(given, only(which))).toBe(left);
    expect(findCharacters(left, only(which))).toBeUndefined();
    for (const other of characterClasses) {
      if (other === which || given.includes('\u001b') || /[\u0080-\u009f]/.test(given)) continue;
      expect(findCharacters(given, only(other)), other).toBeUndefined();
    }
  });

  test('are counted', () => {
    const found: [CharacterClass, number][] = [];
    stripCharacters('a\u0000\u0000b\u202ec\u200bd', all, (which, count) => found.push([which, count]));
    expect(found).toEqual([
      ['control', 2],
      ['bidi', 1],
      ['invisible', 1],
    ]);
  });
});

describe('honest text stays', () => {
  test.each(Object.entries(honest))('%s', (_name, text) => {
    for (const around of [text, `see ${text}, yes`, `${text}\n${text}`]) {
      expect(findCharacters(around, all)).toBeUndefined();
      expect(stripCharacters(around, all)).toBe(around);
    }
  });
});

describe('any text', () => {
  const piece = fc.oneof(
    fc.constantFrom(...disguises.map(([, given]) => given), ...Object.values(honest)),
    fc.constantFrom(
      '\u001b',
      '[',
      ']',
      '\u009b',
      '\u200c',
      '\u200d',
      '\ufe0f',
      '\u{1f600}',
      '\u0645',
      'm',
      '\u0007',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));

  test('holds nothing more once it was stripped', () => {
    fc.assert(
      fc.property(text, fc.subarray([...characterClasses], { minLength: 1 }), (given, chosen) => {
        const classes = new Set(chosen);
        const once = stripCharacters(given, classes);
        expect(findCharacters(once, classes)).toBeUndefined();
        expect(stripCharacters(once, classes)).toBe(once);
        expect(once === given).toBe(findCharacters(given, classes) === undefined);
      }),
      { numRuns: 500 },
    );
  });

  test('loses every escape and every C1 control with its ANSI sequences', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(stripCharacters(given, only('ansi'))).not.toMatch(/[\u001b\u0080-\u009f]/);
      }),
    );
  });
});
