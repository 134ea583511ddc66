import type { Spans } from './secret-spans.ts';

/** A held secret in every form that is looked for. */
export interface Needles {
  readonly texts: readonly Needle[];
  /** UTF-8 as one character per byte, for texts with percent escapes. */
  readonly bytes: readonly string[];
}

interface Needle {
  readonly text: string;
  /** Neighbouring characters that carry bits of the secret too (base64 does not align with bytes). */
  readonly before: number;
  readonly after: number;
}

/** Shorter secrets would be found in ordinary words, and hide half of every record. */
const shortestSecret = 6;
/** Longer ones are looked for by their beginning. No header value that a server accepts is longer. */
export const longestSecret = 16_384;
/** Held secrets beyond these are not looked for; a gateway holds a handful per upstream. */
const mostSecrets = 1000;

/** Prepares held secrets for {@link findNeedles}: plain, JSON-escaped, and base64 in both alphabets and all three alignments. */
export function prepareNeedles(secrets: readonly string[]): Needles {
  const texts = new Map<string, Needle>();
  const bytes = new Set<string>();
  const add = (text: string, before = 0, after = 0) => texts.set(text, { text, before, after });
  for (const secret of secrets.slice(0, mostSecrets)) {
    const whole = secret.trim().slice(0, longestSecret);
    if (whole.length < shortestSecret) continue;
    add(whole);
    const escaped = JSON.stringify(whole).slice(1, -1);
    if (escaped !== whole) add(escaped);
    const raw = Buffer.from(whole, 'utf8');
    bytes.add(raw.toString('latin1'));
    if (whole.includes(' ')) bytes.add(raw.toString('latin1').replaceAll(' ', '+'));
    for (const alignment of [0, 1, 2]) {
      const shifted = Buffer.concat([Buffer.alloc(alignment), raw]);
      const from = alignment === 0 ? 0 : alignment + 1;
      const to = Math.floor((shifted.length * 8) / 6);
      const partial = (shifted.length * 8) % 6 === 0 ? 0 : 1;
      for (const alphabet of ['base64', 'base64url'] as const) {
        const core = shifted.toString(alphabet).slice(from, to);
        if (core.length >= shortestSecret) add(core, alignment === 0 ? 0 : 1, partial);
      }
    }
  }
  return { texts: [...texts.values()], bytes: [...bytes] };
}

/** Adds the spans of every held secret in `text`. */
export function findNeedles(text: string, needles: Needles, spans: Spans): void {
  for (const { text: needle, before, after } of needles.texts) {
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
      spans.push(Math.max(0, at - before), Math.min(text.length, at + needle.length + after));
    }
  }
}

/** Adds the spans of every held secret in bytes, one character each. */
export function findNeedleBytes(text: string, needles: Needles, spans: Spans): void {
  for (const needle of needles.bytes) {
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
      spans.push(at, at + needle.length);
    }
  }
}
