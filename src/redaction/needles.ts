import type { Spans } from './secret-spans.ts';
import type { Span } from './span.ts';

/** A held secret in every form that is looked for. */
export interface Needles {
  /** UTF-16 units of the shortest form: in a shorter text there is none. */
  readonly shortest: number;
  readonly texts: readonly Needle[];
  /** UTF-8 as one character per byte, for texts with percent escapes. */
  readonly bytes: readonly { readonly text: string; readonly secret: string }[];
}

interface Needle {
  readonly text: string;
  readonly secret: string;
  /** Neighbouring characters that carry bits of the secret too (base64 does not align with bytes). */
  readonly before: number;
  readonly after: number;
}

/** Shorter secrets would be found in ordinary words, and hide half of every record. */
export const shortestSecret = 6;
/** Longer ones are looked for by their beginning. No header value that a server accepts is longer. */
export const longestSecret = 16_384;
/** Held secrets beyond these are not looked for; a gateway holds a handful per upstream. */
const mostSecrets = 1000;

/**
 * Prepares held secrets for {@link findNeedles}: plain, JSON-escaped, and base64 in both alphabets and all three
 * alignments.
 *
 * @param shortest secrets with fewer UTF-16 units are left out
 */
export function prepareNeedles(secrets: readonly string[], shortest = shortestSecret): Needles {
  const texts = new Map<string, Needle>();
  const bytes = new Map<string, string>();
  for (const given of secrets.slice(0, mostSecrets)) {
    const secret = given.trim().slice(0, longestSecret);
    if (secret.length < shortest) continue;
    const add = (text: string, before = 0, after = 0) => texts.set(text, { text, secret, before, after });
    add(secret);
    const escaped = JSON.stringify(secret).slice(1, -1);
    if (escaped !== secret) add(escaped);
    // A percent sign right before it would otherwise take its first letters for an escape.
    const percent = encodeURIComponent(secret.toWellFormed());
    if (percent !== secret) {
      add(percent);
      add(percent.replace(/%../g, (code) => code.toLowerCase()));
    }
    const raw = Buffer.from(secret, 'utf8');
    bytes.set(raw.toString('latin1'), secret);
    if (secret.includes(' ')) bytes.set(raw.toString('latin1').replaceAll(' ', '+'), secret);
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
  return {
    shortest: Math.min(Number.POSITIVE_INFINITY, ...[...texts.keys()].map((text) => text.length)),
    texts: [...texts.values()],
    bytes: [...bytes].map(([text, secret]) => ({ text, secret })),
  };
}

/** What either of them looks for. */
export function joinNeedles(one: Needles, other: Needles): Needles {
  return {
    shortest: Math.min(one.shortest, other.shortest),
    texts: [...one.texts, ...other.texts],
    bytes: [...one.bytes, ...other.bytes],
  };
}

/** Adds the spans of every held secret in `text`. */
export function findNeedles(text: string, needles: Needles, spans: Spans): void {
  eachNeedle(text, needles, (start, end) => spans.push(start, end));
}

/** Adds the spans of every held secret in bytes, one character each. */
export function findNeedleBytes(text: string, needles: Needles, spans: Spans): void {
  for (const { text: needle } of needles.bytes) {
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
      spans.push(at, at + needle.length);
    }
  }
}

/** Adds what the gateway holds. */
export function findHeld(text: string, needles: Needles, spans: Span[]): void {
  eachNeedle(text, needles, (start, end, value) =>
    spans.push({ start, end, class: 'secrets', value, held: true }),
  );
}

/** Adds what the gateway holds, in bytes, one character each. */
export function findHeldBytes(text: string, needles: Needles, spans: Span[]): void {
  for (const { text: needle, secret } of needles.bytes) {
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
      spans.push({ start: at, end: at + needle.length, class: 'secrets', value: secret, held: true });
    }
  }
}

/** Whether any held secret stands in bytes, given one character each. */
export function holdsNeedle(latin1: string, needles: Needles): boolean {
  return (
    needles.bytes.some(({ text }) => latin1.includes(text)) ||
    needles.texts.some(({ text }) => latin1.includes(text))
  );
}

/** How much of a held secret must stand at the end of a text to be taken for its beginning. */
const shortestBeginning = 8;

/** Adds the beginning of a held secret that the text ends with: the rest may come with the next text. */
export function findHeldBeginning(text: string, needles: Needles, spans: Span[]): void {
  for (const { text: needle, secret } of needles.texts) {
    const longest = Math.min(needle.length - 1, text.length);
    if (longest < shortestBeginning) continue;
    const beginning = needle.slice(0, shortestBeginning);
    for (
      let at = text.indexOf(beginning, text.length - longest);
      at !== -1;
      at = text.indexOf(beginning, at + 1)
    ) {
      if (!needle.startsWith(text.slice(at))) continue;
      spans.push({ start: at, end: text.length, class: 'secrets', value: secret, held: true, open: true });
      break;
    }
  }
}

function eachNeedle(
  text: string,
  needles: Needles,
  found: (start: number, end: number, secret: string) => void,
): void {
  if (text.length < needles.shortest) return;
  for (const { text: needle, secret, before, after } of needles.texts) {
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
      found(Math.max(0, at - before), Math.min(text.length, at + needle.length + after), secret);
    }
  }
}
