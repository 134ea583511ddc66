import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CharacterClass,
  characterClasses,
  findCharacters,
  stripCharacters,
} from '../../src/values/characters.ts';
import { findInSteps, stripInSteps } from '../../src/values/characters-in-steps.ts';
import { finish } from '../../src/values/steps.ts';

/** What means something together, in parts: a cut between any two of them must not change what is read. */
const fragments = [
  'a',
  'word ',
  '7',
  '\u20e3',
  '\ufe0f',
  '\ufe0e',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2066',
  '\u0007',
  '\u0000',
  '\u001b',
  '\u001b[',
  '31m',
  '\u001b]0;',
  '\\',
  '\u009b',
  '\u009c',
  '\u0090',
  '\u{1f469}',
  '\u{1f3fd}',
  '\u{1f3f4}',
  '\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}',
  '\u{e007f}',
  '\u{e0041}',
  '\u180b',
  '\u1820',
  '\u0915',
  '\u094d',
  '\u0e01',
  '\u17b4',
  '\ud83d',
];
const classSets = [...characterClasses.map((which) => [which]), [...characterClasses]];
/** Longer than any piece. */
const long = 40_000;

function stepped(text: string, classes: ReadonlySet<CharacterClass>): readonly unknown[] {
  const counts: unknown[] = [];
  const clean = finish(stripInSteps(text, classes, (which, count) => counts.push([which, count])));
  return [clean, counts, finish(findInSteps(text, classes))];
}

function atOnce(text: string, classes: ReadonlySet<CharacterClass>): readonly unknown[] {
  const counts: unknown[] = [];
  const clean = stripCharacters(text, classes, (which, count) => counts.push([which, count]));
  return [clean, counts, findCharacters(text, classes)];
}

describe('a long text that is read in steps', () => {
  it('reads as it does at once, wherever its pieces are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...fragments), { minLength: 1, maxLength: 12 }),
        fc.nat(60),
        fc.constantFrom(...classSets),
        (parts, offset, classes) => {
          const unit = parts.join('');
          const text = 'x'.repeat(offset) + unit.repeat(Math.ceil(long / unit.length));
          expect(stepped(text, new Set(classes))).toEqual(atOnce(text, new Set(classes)));
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    ['an emoji sequence at the cut', '\u{1f469}\u200d\u{1f469}'],
    ['a flag at the cut', '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'],
    ['a sequence for terminals at the cut', '\u001b[38;5;196m'],
    ['a title for terminals at the cut', `\u001b]0;${'title '.repeat(12)}\u0007`],
    ['a tag letter at the cut', '\u{e0041}'],
  ])('reads %s as it does at once', (_, sequence) => {
    for (let before = 32_768 - sequence.length - 1; before <= 32_769; before += 1) {
      const text = `${'y'.repeat(before)}${sequence}${'z'.repeat(4000)}`;
      expect(stepped(text, new Set(characterClasses))).toEqual(atOnce(text, new Set(characterClasses)));
    }
  });

  it('does not stop at every character after any number of sequences', () => {
    const plain = 'a'.repeat(1_000_000);
    for (const sequences of [1, 4094, 4095, 4096, 8191, 9000]) {
      const going = stripInSteps('\u001b[m'.repeat(sequences) + plain, new Set(['ansi']), () => {});
      let count = 0;
      while (!going.next().done) count += 1;
      expect(count, String(sequences)).toBeLessThan(150);
    }
  });

  it('stops the more often the longer it is, whatever it is full of', () => {
    for (const unit of ['\u200b', '\u001b[m', '\u2066', '\u{1f469}\u200d', 'é', 'a']) {
      const steps = (length: number): number => {
        const going = stripInSteps(unit.repeat(length / unit.length), new Set(characterClasses), () => {});
        let count = 0;
        while (!going.next().done) count += 1;
        return count;
      };
      expect(steps(2_000_000), unit).toBeGreaterThan(1.8 * steps(1_000_000));
      expect(steps(1_000_000), unit).toBeGreaterThan(20);
    }
  });
});
