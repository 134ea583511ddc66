import { hasLuhn, hasMod11_10, hasVerhoeff, mod97, weighted } from './checksums.ts';
import { isFraction } from './columns.ts';
import type { Span } from './span.ts';

interface NationalNumber {
  readonly country: string;
  readonly pattern: RegExp;
  /** @param plain without dividers, in upper case */
  readonly check: (plain: string) => boolean;
  /** Without a checksum worth the name: only where one of these words stands shortly before. */
  readonly announced?: RegExp;
}

const from = '(?<![\\w./+-])';
const to = '(?![\\w/-]|\\.\\d)';

function row(
  country: string,
  pattern: string,
  check: (plain: string) => boolean,
  announced?: RegExp,
): NationalNumber {
  const compiled = { country, pattern: new RegExp(`${from}(?:${pattern})${to}`, 'g'), check };
  return announced === undefined ? compiled : { ...compiled, announced };
}

const digit = (text: string, at: number): number => text.charCodeAt(at) - 48;

function isDate(day: number, month: number): boolean {
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

const spanishLetters = 'TRWAGMYFPDXBNJZSQVHLCKE';
const finnishLetters = '0123456789ABCDEFHJKLMNPRSTUVWXY';
const irishLetters = 'WABCDEFGHIJKLMNOPQRSTUV';
const italianOdd = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/** Numbers that states give to persons. */
const numbers: readonly NationalNumber[] = [
  row('US', '\\d{3}-\\d{2}-\\d{4}', isSsn),
  row('US', '\\d{3} \\d{2} \\d{4}|\\d{9}', isSsn, /ssn|social security/i),
  row(
    'GB',
    '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]',
    (plain) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(plain),
  ),
  row(
    'DE',
    '[1-9]\\d{10}|[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}',
    (plain) => hasGermanDigits(plain) && hasMod11_10(plain),
  ),
  row('FR', '[1-478] ?\\d{2} ?\\d{2} ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}', isNir),
  row('ES', '[0-9XYZ]-?\\d{7}-?[A-Z]', (plain) => {
    const number = Number(plain.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))));
    return plain.length === 9 && spanishLetters[number % 23] === plain.at(-1);
  }),
  row('IT', '[A-Z]{6}[\\dL-NP-V]{2}[A-EHLMPRST][\\dL-NP-V]{2}[A-Z][\\dL-NP-V]{3}[A-Z]', isCodiceFiscale),
  row(
    'NL',
    '\\d{4}\\.\\d{2}\\.\\d{3}|\\d{9}',
    (plain) => weighted(plain, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    /bsn|burgerservicenummer|sofinummer/i,
  ),
  row('BE', '\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}|\\d{11}', isBelgian),
  row(
    'PL',
    '\\d{11}',
    (plain) =>
      isDate(Number(plain.slice(4, 6)), Number(plain.slice(2, 4)) % 20) &&
      (10 - (weighted(plain, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digit(plain, 10),
    /pesel/i,
  ),
  row('SE', '(?:\\d{2})?\\d{6}[-+]\\d{4}', (plain) => {
    const ten = plain.slice(-10);
    return isDate(Number(ten.slice(4, 6)) % 60, Number(ten.slice(2, 4))) && hasLuhn(ten);
  }),
  row(
    'FI',
    '\\d{6}[-+A-FU-Y]\\d{3}[0-9A-Y]',
    (plain) =>
      isDate(Number(plain.slice(0, 2)), Number(plain.slice(2, 4))) &&
      finnishLetters[Number(plain.slice(0, 6) + plain.slice(-4, -1)) % 31] === plain.at(-1),
  ),
  row(
    'NO',
    '\\d{6} ?\\d{5}',
    (plain) =>
      isDate(Number(plain.slice(0, 2)) % 40, Number(plain.slice(2, 4)) % 40) &&
      weighted(plain, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weighted(plain, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
  ),
  row(
    'DK',
    '\\d{6}-\\d{4}',
    (plain) => isDate(Number(plain.slice(0, 2)), Number(plain.slice(2, 4))),
    /cpr|personnummer/i,
  ),
  row(
    'PT',
    '\\d{3} ?\\d{3} ?\\d{3}',
    (plain) => {
      const rest = weighted(plain, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
      return (rest < 2 ? 0 : 11 - rest) === digit(plain, 8);
    },
    /nif|contribuinte/i,
  ),
  row(
    'CH',
    '756\\.?\\d{4}\\.?\\d{4}\\.?\\d{2}',
    (plain) => weighted(plain, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
  ),
  row(
    'AT',
    '\\d{4} ?\\d{6}',
    (plain) =>
      isDate(Number(plain.slice(4, 6)), Number(plain.slice(6, 8))) &&
      weighted(plain, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === digit(plain, 3),
    /svnr|sozialversicherung/i,
  ),
  row('IE', '\\d{7}[A-W][ABHW]?', (plain) => {
    const extra = plain[8] === undefined || plain[8] === 'W' ? 0 : irishLetters.indexOf(plain[8]);
    return irishLetters[(weighted(plain, [8, 7, 6, 5, 4, 3, 2]) + 9 * extra) % 23] === plain[7];
  }),
  row('BR', '\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}|\\d{11}', isCpf),
  row('CA', '\\d{3}-\\d{3}-\\d{3}', hasLuhn),
  row('CA', '\\d{3} \\d{3} \\d{3}|\\d{9}', hasLuhn, /\bsin\b|social insurance/i),
  row(
    'AU',
    '\\d{3} \\d{3} \\d{3}',
    (plain) => weighted(plain, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
    /tfn|tax file/i,
  ),
  row('IN', '[2-9]\\d{3} \\d{4} \\d{4}', hasVerhoeff),
  row(
    'CN',
    '[1-8]\\d{5}(?:19|20)\\d{9}[\\dX]',
    (plain) =>
      isDate(Number(plain.slice(12, 14)), Number(plain.slice(10, 12))) &&
      '10X98765432'[weighted(plain, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] ===
        plain.at(-1),
  ),
  row('KR', '\\d{6}-[1-8]\\d{6}', (plain) => isDate(Number(plain.slice(4, 6)), Number(plain.slice(2, 4)))),
  row(
    'ZA',
    '\\d{13}',
    (plain) =>
      isDate(Number(plain.slice(4, 6)), Number(plain.slice(2, 4))) &&
      /^\d{10}[01]/.test(plain) &&
      hasLuhn(plain),
    /id (?:number|no)|identity/i,
  ),
  row('TR', '[1-9]\\d{10}', isTurkish),
  row('SG', '[STFG]\\d{7}[A-Z]', (plain) => {
    const sum = weighted(plain.slice(1), [2, 7, 6, 5, 4, 3, 2]) + ('TG'.includes(plain[0]!) ? 4 : 0);
    return ('ST'.includes(plain[0]!) ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK')[sum % 11] === plain[8];
  }),
  row('MX', '[A-Z][AEIOUX][A-Z]{2}\\d{6}[HMX][A-Z]{5}[A-Z0-9]\\d', (plain) =>
    isDate(Number(plain.slice(8, 10)), Number(plain.slice(6, 8))),
  ),
];

/** Countries whose numbers are known, ISO 3166. */
export const nationalNumberCountries: readonly string[] = [...new Set(numbers.map(({ country }) => country))];

/** @param countries undefined: all that are known */
export function findNationalNumbers(
  text: string,
  countries: ReadonlySet<string> | undefined,
  spans: Span[],
): void {
  for (const { country, pattern, check, announced } of numbers) {
    if (countries !== undefined && !countries.has(country)) continue;
    for (const match of text.matchAll(pattern)) {
      const plain = match[0].replace(/[ ./+-]/g, '');
      if (announced !== undefined && !announced.test(text.slice(Math.max(0, match.index - 40), match.index)))
        continue;
      const end = match.index + match[0].length;
      if (!check(plain) || isFraction(text, match.index, end)) continue;
      spans.push({
        start: match.index,
        end,
        class: 'nationalNumbers',
        value: plain,
      });
    }
  }
}

/** Social Security Administration: what was never given out. */
function isSsn(plain: string): boolean {
  return /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(plain);
}

/** Of the first ten digits one occurs twice or thrice, and all others at most once. */
function hasGermanDigits(plain: string): boolean {
  const counts = [...'0123456789'].map((each) => plain.slice(0, 10).split(each).length - 1);
  const repeated = counts.filter((times) => times > 1);
  return plain.length === 11 && repeated.length === 1 && repeated[0]! <= 3;
}

function isNir(plain: string): boolean {
  if (!/^[1-478]\d\d(?:0[1-9]|1[0-2]|[2-9]\d)/.test(plain)) return false;
  const body = plain.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return /^\d{13}$/.test(body) && 97 - mod97(body) === Number(plain.slice(13));
}

function isCodiceFiscale(plain: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i += 1) {
    const code = plain.charCodeAt(i);
    const value = code < 58 ? code - 48 : code - 65;
    sum += i % 2 === 1 ? value : italianOdd[value]!;
  }
  return String.fromCharCode(65 + (sum % 26)) === plain[15];
}

function isBelgian(plain: string): boolean {
  if (!isDate(Number(plain.slice(4, 6)), Number(plain.slice(2, 4)) % 20)) return false;
  const check = Number(plain.slice(9));
  return 97 - mod97(plain.slice(0, 9)) === check || 97 - mod97(`2${plain.slice(0, 9)}`) === check;
}

function isCpf(plain: string): boolean {
  if (new Set(plain).size === 1) return false;
  const first = ((weighted(plain, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
  const second = ((weighted(plain, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
  return first === digit(plain, 9) && second === digit(plain, 10);
}

function isTurkish(plain: string): boolean {
  const odd = weighted(plain, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(plain, [0, 1, 0, 1, 0, 1, 0, 1]);
  if ((((odd * 7 - even) % 10) + 10) % 10 !== digit(plain, 9)) return false;
  return weighted(plain, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10 === digit(plain, 10);
}
