import { hasLuhn } from './checksums.ts';
import { isFraction } from './columns.ts';
import type { Span } from './span.ts';

/** ISO/IEC 7812 ranges in use: first digits, and lengths. */
const brands: readonly { readonly start: RegExp; readonly lengths: readonly number[] }[] = [
  { start: /^4/, lengths: [16] },
  { start: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { start: /^3[47]/, lengths: [15] },
  { start: /^(?:6011|64[4-9]|65)/, lengths: [16] },
  { start: /^35(?:2[89]|[3-8])/, lengths: [16] },
  { start: /^3(?:0[0-5]|095|[689])/, lengths: [14] },
  { start: /^62/, lengths: [16, 17, 18, 19] },
  { start: /^220[0-4]/, lengths: [16] },
  { start: /^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, lengths: [16, 18, 19] },
];

const divider = '[ .\\u00a0\\u2009\\u202f\\u2010-\\u2013-]';
/** As cards are printed: 4-4-4-4, 4-6-5, 4-6-4, or in one piece. Borders: not inside a longer number, id or word. */
const written = new RegExp(
  `(?<![\\w.+-])(?:\\d{14,19}|\\d{4}(${divider})\\d{4}\\1\\d{4}\\1\\d{2,4}(?:\\1\\d{1,3})?|\\d{4}(${divider})\\d{6}\\2\\d{4,5})(?![\\w-]|\\.\\d)`,
  'g',
);

/** Whether these digits are the number of a payment card: its range, its length, its checksum. */
export function isCardNumber(digits: string): boolean {
  return (
    brands.some(({ start, lengths }) => lengths.includes(digits.length) && start.test(digits)) &&
    hasLuhn(digits) &&
    new Set(digits).size > 1
  );
}

export function findCards(text: string, spans: Span[]): void {
  for (const match of text.matchAll(written)) {
    const digits = match[0].replace(/\D/g, '');
    const end = match.index + match[0].length;
    if (!isCardNumber(digits) || isFraction(text, match.index, end)) continue;
    spans.push({ start: match.index, end, class: 'cards', value: digits });
  }
}
