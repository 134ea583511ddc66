import { isRunCharacter } from './features.ts';
import type { Span } from './span.ts';
import { infixFormats, type TokenFormat, tokenFormats } from './token-formats.ts';

const formatOf = new Map(tokenFormats.flatMap((format) => format.prefixes.map((prefix) => [prefix, format])));
/** Longest first: `sk-ant-` is no `sk-`. */
const anyPrefix = new RegExp(
  [...formatOf.keys()]
    .sort((a, b) => b.length - a.length)
    .map((prefix) => prefix.replaceAll('.', '\\.'))
    .join('|'),
  'g',
);

/**
 * Adds every token of a known form.
 *
 * @param runs `[start, end)` pairs, outside of which there is none
 */
export function findTokens(text: string, runs: readonly number[], spans: Span[]): void {
  for (let i = 0; i < runs.length; i += 2) {
    const offset = runs[i]!;
    const run = text.slice(offset, runs[i + 1]);
    for (anyPrefix.lastIndex = 0; ; ) {
      const match = anyPrefix.exec(run);
      if (match === null) break;
      // One prefix may stand inside another.
      anyPrefix.lastIndex = match.index + 1;
      const prefix = match[0];
      const at = offset + match.index;
      const format = formatOf.get(prefix)!;
      const start = startOf(text, at, format);
      if (start === undefined) continue;
      const body = bodyAt(text, at + prefix.length, format);
      if (body === undefined || !(format.check?.(body, prefix) ?? true)) continue;
      const end = at + prefix.length + body.length;
      spans.push({ start, end, class: 'secrets', value: text.slice(start, end) });
    }
  }
}

/**
 * Adds the beginning of a token that the text ends with: the rest may come with the next text.
 *
 * Only where the whole prefix stands there; a prefix alone is a word.
 */
export function findTokenBeginning(text: string, spans: Span[]): void {
  let from = text.length;
  while (from > 0 && text.length - from < longestTail && isRunCharacter(text.charCodeAt(from - 1))) from -= 1;
  if (text.length - from < 4) return;
  const run = text.slice(from);
  for (anyPrefix.lastIndex = 0; ; ) {
    const match = anyPrefix.exec(run);
    if (match === null) return;
    anyPrefix.lastIndex = match.index + 1;
    const prefix = match[0];
    const at = from + match.index;
    const format = formatOf.get(prefix)!;
    const start = startOf(text, at, format);
    if (start === undefined) continue;
    let end = at + prefix.length;
    while (end < text.length && format.alphabet.test(text[end]!)) end += 1;
    if (end < text.length || end === at + prefix.length) continue;
    spans.push({ start, end, class: 'secrets', value: text.slice(start), open: true });
    return;
  }
}

const longestTail = 1024;

/** Undefined inside of a word. The name of a bot, of digits, is part of its token. */
function startOf(text: string, at: number, format: TokenFormat): number | undefined {
  if (!infixFormats.has(format.name)) {
    return at > 0 && isWordCharacter(text.charCodeAt(at - 1)) && !isEscape(text, at) ? undefined : at;
  }
  let start = at;
  while (start > 0 && at - start < 12 && isDigit(text.charCodeAt(start - 1))) start -= 1;
  return at - start >= 8 && at - start <= 10 ? start : undefined;
}

function bodyAt(text: string, at: number, { body }: TokenFormat): string | undefined {
  body.lastIndex = at;
  return body.exec(text)?.[0];
}

/** JSON inside a text: the `n` of `\n` is no letter of a word. */
function isEscape(text: string, at: number): boolean {
  return text[at - 2] === '\\' && 'nrtbf'.includes(text[at - 1]!);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWordCharacter(code: number): boolean {
  return isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}
