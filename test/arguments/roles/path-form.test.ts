import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizePath } from '../../../src/arguments/normalize-path.ts';
import { judgeForm } from '../../../src/arguments/roles/path-form.ts';
import { decodePercent, readingsOf } from '../../../src/arguments/roles/path-readings.ts';
import { finish } from '../../../src/values/steps.ts';

describe('what the rewrite `normalize: path` makes of a path', () => {
  const messy = fc
    .array(fc.constantFrom('a', 'b', '.', '..', '', '...x', 'c d', '%41'), { minLength: 1, maxLength: 8 })
    .map((segments) => segments.join('/'));

  it('is canonical, but where it leads above its beginning or to another host', () => {
    fc.assert(
      fc.property(messy, (text) => {
        const form = judgeForm(finish(normalizePath(text)), 'any');
        if (form.ok) return;
        expect(['parent', 'unc', 'empty']).toContain(form.fault);
        expect(text === '' || text.startsWith('//') || text.split('/').includes('..')).toBe(true);
      }),
    );
  });
});

describe('judgeForm', () => {
  it.each([
    ['jar:file:/etc/passwd', 'uri'],
    ['view-source:file:///etc/passwd', 'uri'],
    ['0x2e0x2e0x2fetc/passwd', 'encoded'],
    ['a/0x2E0x2E/etc', 'encoded'],
    ['0x2e0x2e0x5cetc', 'encoded'],
  ])('finds what %s hides, in every style of POSIX', (text, fault) => {
    expect(judgeForm(text, 'posix')).toEqual({ ok: false, fault });
    expect(judgeForm(text, 'any')).toEqual({ ok: false, fault });
  });

  it.each(['a/0x2e.txt', '0x2f/0x5c', 'crash-0x2e0x.log'])('leaves %s alone', (text) => {
    expect(judgeForm(text, 'any').ok).toBe(true);
  });

  it('is total, and quick on what is long and odd', () => {
    const parts = fc.constantFrom(
      '.',
      '/',
      '\\',
      '%',
      '%2',
      '%25',
      '2e',
      'e',
      ':',
      ' ',
      '\u200b',
      '\uff0e',
      'a',
      '\ud800',
    );
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 60 }),
        fc.constantFrom('any', 'posix', 'windows'),
        (list, style) => {
          expect(typeof judgeForm(list.join(''), style as 'any').ok).toBe('boolean');
        },
      ),
    );
    for (const text of [
      'a.'.repeat(2000),
      '%25'.repeat(1300),
      'a/'.repeat(2000),
      '-'.repeat(4000),
      `${'a.'.repeat(2000)}!`,
    ]) {
      expect(typeof judgeForm(text, 'any').ok).toBe('boolean');
    }
  });

  it('gives every reading of what it lets through, the text itself first', () => {
    const form = judgeForm('/a/caf%C3%A9\uff01', 'any');
    expect(form.ok && form.readings.map(({ text }) => text)).toEqual([
      '/a/caf%C3%A9\uff01',
      '/a/caf\u00e9\uff01',
      '/a/caf%C3%A9!',
      '/a/caf\u00e9!',
    ]);
  });
});

describe('decodePercent', () => {
  it('decodes what decodeURIComponent decodes, alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        expect(decodePercent(encodeURIComponent(text))).toBe(text);
      }),
    );
  });

  it('refuses overlong forms of every ASCII character in every length', () => {
    const hex = (bytes: number[]) => bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    for (let code = 0; code < 0x80; code++) {
      const high = code >> 6;
      const low = 0x80 | (code & 0x3f);
      expect(decodePercent(hex([0xc0 | high, low]))).toBeUndefined();
      expect(decodePercent(hex([0xe0, 0x80 | high, low]))).toBeUndefined();
      expect(decodePercent(hex([0xf0, 0x80, 0x80 | high, low]))).toBeUndefined();
      expect(decodePercent(hex([0xf8, 0x80, 0x80, 0x80 | high, low]))).toBeUndefined();
      expect(decodePercent(hex([0xfc, 0x80, 0x80, 0x80, 0x80 | high, low]))).toBeUndefined();
    }
  });

  it('bounds the readings of one text', () => {
    let nested = '%41';
    for (let round = 0; round < 40; round++) nested = nested.replace('%', '%25');
    expect(readingsOf(nested)).toBeUndefined();
    expect(readingsOf('%41')?.length).toBe(2);
  });
});
