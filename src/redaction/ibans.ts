import { mod97 } from './checksums.ts';
import type { Span } from './span.ts';

/** SWIFT's IBAN registry: length by country. */
const lengths = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((row) => [row.slice(0, 2), Number(row.slice(2))]),
);

const beginning = /(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?=[ \u00a0-]?[A-Z0-9])/g;
const divider = /[ \u00a0-]/;

export function findIbans(text: string, spans: Span[]): void {
  for (const match of text.matchAll(beginning)) {
    const length = lengths.get(match[0].slice(0, 2));
    if (length === undefined) continue;
    const end = endOf(text, match.index, length);
    if (end === undefined) continue;
    const plain = text.slice(match.index, end).replace(/[ \u00a0-]/g, '');
    if (mod97(plain.slice(4) + plain.slice(0, 4)) !== 1) continue;
    spans.push({ start: match.index, end, class: 'ibans', value: plain });
  }
}

/** Reads `length` letters and digits, single dividers between them left out; undefined where they do not end there. */
function endOf(text: string, start: number, length: number): number | undefined {
  let at = start;
  for (let read = 0; read < length; at += 1) {
    const character = text[at];
    if (character === undefined) return undefined;
    if (/[A-Z0-9]/.test(character)) read += 1;
    else if (!divider.test(character) || divider.test(text[at - 1]!)) return undefined;
  }
  return /[A-Za-z0-9]/.test(text[at] ?? '') ? undefined : at;
}
