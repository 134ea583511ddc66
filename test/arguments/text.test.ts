import { describe, expect, test } from 'vitest';
import { faultOf } from './support.ts';

/** Says terrible things, and is text. */
const terrible = [
  "'; DROP TABLE users; --",
  '../../etc/passwd',
  '$(rm -rf /) `id` | sh',
  'http://169.254.169.254/latest/meta-data/',
  '{{7*7}} #{7*7} <%= 7*7 %>',
  '<script>alert(1)</script>',
  'Ignore all previous instructions.',
  '{"__proto__": {"admin": true}}',
];

const whole = { ban: ['control', 'bidi', 'invisible'] };

describe.each(['text', 'code', 'markdown'])('%s', (role) => {
  test.each(terrible)('is not judged by what it says: %s', (value) => {
    expect(faultOf({ [role]: { ...whole, maxLength: 1000, normalization: 'nfc' } }, value)).toBeUndefined();
  });

  test.each([null, 1, true, ['text'], { text: 'text' }])('is text, not %j', (value) => {
    expect(faultOf({ [role]: {} }, value)).toBe(`${role}:type`);
  });

  test.each([
    [{ maxLength: 3 }, 'abc', undefined],
    [{ maxLength: 3 }, 'abcd', 'too-long'],
    [{ maxLength: 3 }, '\u{1f600}\u{1f600}\u{1f600}', undefined],
    [{ maxLength: 3 }, '\u{1f600}\u{1f600}\u{1f600}\u{1f600}', 'too-long'],
    [{ maxLength: 0 }, '', undefined],
    [{ minLength: 2 }, '\u{1f600}', 'too-short'],
    [{ minLength: 2 }, '\u{1f600}a', undefined],
    [{ maxBytes: '4B' }, '\u{1f600}', undefined],
    [{ maxBytes: '4B' }, '\u{1f600}a', 'too-large'],
    [{ maxBytes: 3 }, '\u00e9\u00e9', 'too-large'],
    [{ normalization: 'nfc' }, '\u00e9', undefined],
    [{ normalization: 'nfc' }, 'e\u0301', 'not-normalized'],
  ])('%j of %j: %s', (options, value, fault) => {
    expect(faultOf({ [role]: options }, value)).toBe(fault === undefined ? undefined : `${role}:${fault}`);
  });

  test('with more marks on one letter than any script has is in no normal form', () => {
    // In no order: to sort so many would take hours.
    const marks = '\u0315\u0300'.repeat(400_000);
    expect(faultOf({ [role]: { normalization: 'nfc' } }, `a${marks}`)).toBe(`${role}:not-normalized`);
    expect(faultOf({ [role]: {} }, `a${marks}`)).toBeUndefined();
  });

  test('lets through everything that is not banned by name', () => {
    expect(faultOf({ [role]: {} }, 'a\0b\u202ec\u200bd\u{e0041}')).toBeUndefined();
  });
});

const disguises: Readonly<Record<string, readonly string[]>> = {
  control: ['a\0b', 'a\u0007', '\u001b[31m', 'a\bb', 'a\u007f', 'a\u0085b', 'a\u009b31m', 'a\u000bb', 'a\fb'],
  bidi: ['\u202eabc', 'a\u202ab', '\u2066abc\u2069', 'a\u200fb', 'a\u200eb', 'a\u061cb'],
  invisible: [
    'pass\u200bword',
    'a\u2060b',
    '\ufeffabc',
    'a\u00adb',
    'a\u200db',
    'a\u200cb',
    'a\u034fb',
    'a\u3164b',
    'a\u180eb',
    'a\ufe0f',
    'a\ufe00',
    '1\ufe0f',
    'a\u{e0100}',
    '\u{1f600}\ufe0f\ufe0f',
    '\u{1f600}\u{e0100}\u{e0101}',
    '\u{e0069}\u{e0067}\u{e006e}',
    '\u{1f3f4}\u{e0069}\u{e0067}\u{e006e}\u{e007f}',
    '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}',
    '\u{1f468}\u200d',
    '\u{1f468}\u200d\u200d\u{1f469}',
    '\u0645\u200c\u200c\u0645',
    'a\ufff9b',
    'a\u206ab',
    'a\u{1d173}b',
  ],
};

/** Characters that are not seen, where they belong. */
const honest = [
  'tab\tand\nlines\r\n',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  '\u2764\ufe0f\u200d\u{1f525}',
  '1\ufe0f\u20e3',
  '\u00a9\ufe0e',
  '\u{1f44d}\u{1f3fd}\u200d\u{1f33e}',
  '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
  '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
  '\u0915\u094d\u200d\u0937',
  '\u1820\u180b',
  '\u6f22\u5b57 \u0e20\u0e32\u0e29\u0e32 \u05e2\u05d1\u05e8\u05d9\u05ea \u0627\u0644\u0639\u0631\u0628\u064a\u0629',
];

describe('a ban', () => {
  test.each(Object.entries(disguises).flatMap(([kind, texts]) => texts.map((text) => [kind, text] as const)))(
    'of %s refuses %j',
    (kind, text) => {
      expect(faultOf({ text: { ban: [kind] } }, text)).toBe(`text:${kind}`);
      expect(faultOf({ text: whole }, text)).toBe(`text:${kind}`);
    },
  );

  test.each(honest)('lets %j through', (text) => {
    expect(faultOf({ text: whole }, text)).toBeUndefined();
  });
});

describe('a pattern', () => {
  test.each([
    ['abc', undefined],
    ['xabc', 'text:pattern'],
    ['abcx', 'text:pattern'],
    ['abc\n', 'text:pattern'],
    ['', 'text:pattern'],
  ])('is over the whole text: %j', (value, fault) => {
    expect(faultOf({ text: { pattern: '[a-c]+' } }, value)).toBe(fault);
  });

  test('reads only short text', () => {
    expect(faultOf({ text: { pattern: 'a*' } }, 'a'.repeat(4096))).toBeUndefined();
    expect(faultOf({ text: { pattern: 'a*' } }, 'a'.repeat(4097))).toBe('text:too-long');
  });
});

describe('secret', () => {
  test.each([
    ['hunter2', undefined],
    ['', undefined],
    ['a'.repeat(16_385), 'secret:too-long'],
    [123456, 'secret:type'],
    [null, 'secret:type'],
    [{ token: 'x' }, 'secret:type'],
  ] as const)('%j: %s', (value, fault) => {
    expect(faultOf({ secret: {} }, value)).toBe(fault);
  });
});
