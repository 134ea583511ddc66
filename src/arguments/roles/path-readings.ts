import { normalForm } from '../../values/normal-form.ts';

/**
 * One way in which a server may read a text that stands in a path: as it is, percent-decoded some times, or folded to
 * its compatibility form.
 */
export interface Reading {
  readonly text: string;
  readonly decoded: boolean;
  readonly folded: boolean;
}

/** Honest names have at most a handful: as sent, decoded once, folded. Whoever nests deeper hides something. */
const mostReadings = 16;

/**
 * Every reading of a text: percent-decoding and compatibility folding, each applied to all that the other gave, until
 * nothing new comes. The first is the text itself.
 *
 * @returns undefined where there is no end within bounds, or an encoding that only a lax decoder takes (overlong UTF-8)
 */
export function readingsOf(text: string): readonly Reading[] | undefined {
  const readings: Reading[] = [{ text, decoded: false, folded: false }];
  if (!/[%\u0080-\uffff]/.test(text)) return readings;
  const seen = new Set([text]);
  for (let next = 0; next < readings.length; next++) {
    const from = readings[next]!;
    const decoded = decodePercent(from.text);
    if (decoded === undefined || readings.length > mostReadings) return undefined;
    for (const reading of [
      { text: decoded, decoded: true, folded: from.folded },
      { text: fold(from.text), decoded: from.decoded, folded: true },
    ]) {
      if (seen.has(reading.text)) continue;
      seen.add(reading.text);
      readings.push(reading);
    }
  }
  return readings;
}

/** As a server reads a name that it normalises, or that loses what is not seen on its way. */
function fold(text: string): string {
  return normalForm(text.replace(/\p{Default_Ignorable_Code_Point}/gu, ''), 'NFKC');
}

const encoded = /(?:%[0-9a-f]{2})+|%u[0-9a-f]{4}/gi;

/**
 * Decodes `%XX` and `%uXXXX` once, the way the most willing decoder would. What is no escape stays: `100%.txt`.
 *
 * @returns undefined where the bytes are what only a lax UTF-8 decoder takes: overlong forms such as `%c0%ae`
 */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  let lax = false;
  const decoded = text.replace(encoded, (run) => {
    if (run[1] === 'u' || run[1] === 'U') return String.fromCharCode(Number.parseInt(run.slice(2), 16));
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    const asText = bytes.toString('utf8');
    if (!asText.includes('\ufffd')) return asText;
    // A single odd byte is an honest `50%de` or Latin-1; it cannot spell a separator.
    if (bytes.length === 1 && !neverInUtf8(bytes[0]!)) return String.fromCharCode(bytes[0]!);
    lax = true;
    return '';
  });
  return lax ? undefined : decoded;
}

function neverInUtf8(byte: number): boolean {
  return byte === 0xc0 || byte === 0xc1 || byte > 0xf4;
}
