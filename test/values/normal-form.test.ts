import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldKey } from '../../src/values/fold-key.ts';
import { hasManyMarks, normalForm } from '../../src/values/normal-form.ts';

/** In no order: the engine alone would sort them for hours. */
const marks = '\u0315\u0300'.repeat(500_000);

describe('a normal form', () => {
  it.each(['NFC', 'NFD', 'NFKC', 'NFKD'] as const)(
    'is the one of Unicode for what people write (%s)',
    (form) => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
          fc.pre(!hasManyMarks(text));
          expect(normalForm(text, form)).toBe(text.normalize(form));
        }),
      );
      expect(normalForm(`e${'\u0301'.repeat(30)}`, form)).toBe(`e${'\u0301'.repeat(30)}`.normalize(form));
    },
  );

  it('comes to an end, and still folds what stands beside the marks', () => {
    const folded = normalForm(`Ａ${marks}Ｂ`, 'NFKC');
    expect([folded[0], folded.at(-1)]).toEqual(['À', 'B']);
    // Longer than any name: it can be no other spelling of one.
    expect(foldKey(`Ｂ${marks}Ａ`).length).toBeGreaterThan(1_000_000);
    expect(foldKey(`Ｂ${marks.slice(0, 3000)}Ａ`).at(-1)).toBe('a');
    expect(foldKey(`ＰＡ${'\u200b'.repeat(100_000)}TH`)).toBe('path');
    expect(normalForm(`\uff76${'\uff9e\u0300'.repeat(500_000)}`, 'NFKC').length).toBeGreaterThan(900_000);
  });

  it('has at most thirty marks on a letter', () => {
    expect(hasManyMarks(`a${'\u0300'.repeat(30)}b${'\u0300'.repeat(30)}`)).toBe(false);
    expect(hasManyMarks(`a${'\u0300'.repeat(31)}`)).toBe(true);
    expect(hasManyMarks(marks)).toBe(true);
  });
});
