import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeInSteps, mayCut } from '../../src/values/compose-in-steps.ts';
import { hasManyMarks } from '../../src/values/normal-form.ts';
import { finish } from '../../src/values/steps.ts';

const fragments = ['a', 'e\u0301', '\u0301', '\u0327', '\u1112', '\u1161', '\u11ab', '\ud55c', '\uc774'];
const others = [
  '\u0bc6\u0bbe',
  '\u{16d63}',
  '\u{16d67}',
  '\u{110b9}\u{110ba}',
  '\u3042\u3099',
  '\ud83d',
  ' ',
];

describe('NFC in steps', () => {
  it('composes a long text as it does at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...fragments, ...others), { minLength: 1, maxLength: 12 }),
        fc.nat(20),
        (parts, offset) => {
          const unit = parts.join('');
          const text = 'x'.repeat(offset) + unit.repeat(Math.ceil(140_000 / unit.length));
          // The engine takes minutes for these: they are not composed at all.
          fc.pre(!hasManyMarks(text));
          expect(finish(composeInSteps(text)) === text.normalize('NFC')).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('cuts before no character that comes together with one before it', () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0x10ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      const parts = character.normalize('NFD');
      if (parts === character || parts.normalize('NFC') !== character) continue;
      for (let at = 1; at < parts.length; at += 1) {
        if (
          mayCut(parts, at) &&
          parts.slice(0, at).normalize('NFC') + parts.slice(at).normalize('NFC') !== character
        )
          wrong.push(code.toString(16));
      }
      // The same where the first of them has been composed already.
      const [...letters] = parts;
      const last = letters.pop()!;
      const composed = letters.join('').normalize('NFC') + last;
      if (composed.normalize('NFC') !== composed && mayCut(composed, composed.length - last.length))
        wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});
