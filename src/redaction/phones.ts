import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';
import { isFraction } from './columns.ts';
import type { Span } from './span.ts';

/** Each candidate costs some 40 microseconds: beyond so many in one text, what looks like a number counts as one. */
const mostCandidates = 500;

const candidate =
  /(?:(?<![\w./+-])\+[ ]?|(?<![\w.:/+-])(?:00|\()?)\d(?:[ ()./\u00a0\u2010-\u2013-]{0,3}\d){6,16}(?![\w-]|[.:]\d)/g;
const announced =
  /(?:tel|phone|mobile|cell|call|fax|telefon|handy|tél|teléfono|whatsapp|sms)[^\p{L}\p{N}]{0,12}$/iu;

/** Whether numbers without a country code can be read as those of this country. */
export function isPhoneRegion(region: string): boolean {
  return isSupportedCountry(region as CountryCode);
}

/**
 * Adds phone numbers: with a country code in any notation; without one only as numbers of the region, and only where
 * they are divided as people write them or announced by a word, since ids are digits too.
 *
 * @param budget counts candidates down
 */
export function findPhones(
  text: string,
  region: string | undefined,
  spans: Span[],
  budget: { phones: number } = { phones: mostCandidates },
): void {
  for (const match of text.matchAll(candidate)) {
    const written = match[0];
    const international = written.startsWith('+');
    const isAnnounced = announced.test(text.slice(Math.max(0, match.index - 24), match.index));
    if (!international && region === undefined) continue;
    if (!international && !isAnnounced && !isDividedAsPhone(written)) continue;
    if (isFraction(text, match.index, match.index + written.length)) continue;
    budget.phones -= 1;
    if (budget.phones >= 0 && !isPhone(written, international, region)) continue;
    const digits = written.replace(/[^\d+]/g, '');
    spans.push({ start: match.index, end: match.index + written.length, class: 'phones', value: digits });
  }
}

function isPhone(written: string, international: boolean, region: string | undefined): boolean {
  const number = parsePhoneNumberFromString(written, region as CountryCode | undefined);
  if (number === undefined) return false;
  // Numbers made up for documentation (+1 555) are possible and not valid; a bare run of digits must be valid.
  return international && /[ ().-]/.test(written) ? number.isPossible() : number.isValid();
}

function isDividedAsPhone(written: string): boolean {
  if (/^\d{4}[-./]\d{1,2}[-./]\d{1,2}|^\d{1,2}[-./]\d{1,2}[-./]\d{2,4}/.test(written)) return false;
  return /^\(?0\d|^\(\d{2,4}\)|^\d{3}[-. ]\d{3}[-. ]\d{4}$/.test(written) && /[ ()./-]/.test(written);
}
