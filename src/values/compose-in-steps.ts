import { type Steps, stepSize } from './steps.ts';

/**
 * As `text.normalize('NFC')`, with places to stop in a long text.
 *
 * Cut only where nothing that stands before can come together with what stands behind: of all code points only marks,
 * the vowels and final consonants of Hangul, and the vowel signs of Kirat Rai ever do (Unicode, NFC_Quick_Check).
 */
export function* composeInSteps(text: string): Steps<string> {
  if (text.length <= stepSize) return text.normalize('NFC');
  const parts: string[] = [];
  let changed = false;
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + stepSize);
    while (end < text.length && !mayCut(text, end)) end += 1;
    const piece = text.slice(start, end);
    const normal = piece.normalize('NFC');
    changed ||= normal !== piece;
    parts.push(normal);
    start = end;
    yield;
  }
  return changed ? parts.join('') : text;
}

const mark = /^[\p{M}\ud800-\udbff]$/u;

/** Whether a piece may end before the unit at `at`. */
export function mayCut(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit < 0x300) return true;
  if (unit >= 0xdc00 && unit <= 0xdfff && isHighSurrogate(text.charCodeAt(at - 1))) return false;
  const code = text.codePointAt(at)!;
  if (code >= 0x16d40 && code <= 0x16d7f) return false;
  const before = text.charCodeAt(at - 1);
  // A vowel follows a first consonant, a final one a vowel or a syllable. In a row of their own kind they stay as they are.
  if (code >= 0x1160 && code <= 0x11a7) return code <= 0x1160 || (before >= 0x1160 && before <= 0x11ff);
  if (code >= 0x11a8 && code <= 0x11ff) return before >= 0x11a8 && before <= 0x11ff;
  return !mark.test(String.fromCodePoint(code));
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
