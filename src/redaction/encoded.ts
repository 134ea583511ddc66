import type { Span } from './span.ts';

/** Texts inside texts: behind percent escapes and behind those of JSON, each resolved once. */

/** Finds in plain text; what is found in a decoded one is mapped back to where it stood. */
export type Find = (text: string) => readonly Span[];

/** How far an escaped word is looked at to either side: longer than any header, shorter than what would cost. */
const longestWord = 16_384;

const percent = /%[0-9A-Fa-f]{2}/;
const jsonEscape = /\\(?:u[0-9A-Fa-f]{4}|\/)/;

/** Adds what stands in words with percent escapes. `+` may be a blank, and is one in a form. */
export function findPercentEncoded(text: string, find: Find, spans: Span[]): void {
  if (!percent.test(text)) return;
  eachWord(text, '%', /[\s"<>]/, (start, end) => {
    const { decoded, origin } = unescapeText(text.slice(start, end), /%[0-9A-Fa-f]{2}/y, (found) =>
      Number.parseInt(found.slice(1), 16),
    );
    addMapped(find(decoded), origin, start, spans);
  });
}

/** Adds what stands behind `\uXXXX` and `\/`. */
export function findJsonEscaped(text: string, find: Find, spans: Span[]): void {
  if (!jsonEscape.test(text)) return;
  eachWord(text, '\\', /\s/, (start, end) => {
    const { decoded, origin } = unescapeText(text.slice(start, end), /\\(?:u[0-9A-Fa-f]{4}|\/)/y, (found) =>
      found === '\\/' ? 0x2f : Number.parseInt(found.slice(2), 16),
    );
    addMapped(find(decoded), origin, start, spans);
  });
}

function addMapped(found: readonly Span[], origin: Uint32Array, offset: number, spans: Span[]): void {
  for (const { instead: _instead, ...span } of found) {
    spans.push({ ...span, start: offset + origin[span.start]!, end: offset + origin[span.end]! });
  }
}

/** Calls back with each word that holds the character, bounded in length, left to right, none twice. */
function eachWord(
  text: string,
  character: string,
  border: RegExp,
  found: (start: number, end: number) => void,
): void {
  let done = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, Math.max(at + 1, done))) {
    let start = at;
    while (start > done && at - start < longestWord && !border.test(text[start - 1]!)) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at < longestWord && !border.test(text[end]!)) end += 1;
    found(start, end);
    done = end;
  }
}

/** `origin[i]` is where unit `i` of the decoded text came from, with one entry more for the end. */
function unescapeText(
  text: string,
  escapes: RegExp,
  decode: (found: string) => number,
): { readonly decoded: string; readonly origin: Uint32Array } {
  const units: string[] = [];
  const origin = new Uint32Array(text.length + 1);
  let count = 0;
  for (let at = 0; at < text.length; ) {
    escapes.lastIndex = at;
    const match = text[at] === '%' || text[at] === '\\' ? escapes.exec(text)?.[0] : undefined;
    origin[count++] = at;
    if (match === undefined) {
      units.push(text[at]!);
      at += 1;
    } else {
      units.push(String.fromCharCode(decode(match)));
      at += match.length;
    }
  }
  origin[count] = text.length;
  return { decoded: units.join(''), origin };
}

/** UTF-8 bytes, one character each, with percent escapes resolved once. */
export function percentDecoded(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/%[0-9A-Fa-f]{2}/g, (octet) => String.fromCharCode(Number.parseInt(octet.slice(1), 16)));
}

/** JSON inside a string may spell any character as `\uXXXX`. */
export function jsonUnescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9A-Fa-f]{4})|(["\\/]))/g,
    (_whole, unit: string | undefined, plain: string) =>
      unit === undefined ? plain : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}
