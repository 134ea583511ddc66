import { type Lexis, lexisOf } from './lexis.ts';
import { maxNesting, maxTokens, type SqlDialect, Unclear, upperAscii } from './query.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'mark' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a quoted name, the name; of a string, nothing. */
  readonly text: string;
  /** Words and marks in upper case, to compare with keywords; empty for everything else. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

export interface Scan {
  readonly tokens: readonly Token[];
  readonly comments: boolean;
}

/** How backslashes are read in '…' and in "…". */
interface Reading {
  readonly single: boolean;
  readonly double: boolean;
}

/**
 * Cuts a text into tokens, and refuses what two settings or versions of the same database would cut differently.
 *
 * Every query goes through here before any grammar sees it: this is what bounds nesting.
 *
 * @throws Unclear
 */
export function scan(text: string, dialect: SqlDialect): Scan {
  const lexis = lexisOf(dialect);
  const first = cut(text, lexis, lexis.reading, false);
  if (first.escapedQuote) {
    // The server's mode decides whether \' ends a string. Where the other reading finds no end, the server finds none
    // either, and refuses the query itself.
    for (const reading of lexis.otherReadings) {
      const other = cutOtherwise(text, lexis, reading);
      if (other !== undefined && !sameCuts(first.tokens, other)) throw new Unclear('ambiguous');
    }
  }
  return first;
}

function cutOtherwise(text: string, lexis: Lexis, reading: Reading): readonly Token[] | undefined {
  try {
    return cut(text, lexis, reading, true).tokens;
  } catch {
    return undefined;
  }
}

function sameCuts(one: readonly Token[], other: readonly Token[]): boolean {
  return one.length === other.length && one.every((token, index) => token.end === other[index]!.end);
}

const wordPattern = /[\p{L}_][\p{L}\p{M}\p{N}_$]*/uy;
const numberPattern = /(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/y;
const afterNumber = /[\p{L}\p{M}\p{N}_$]/u;

function cut(
  text: string,
  lexis: Lexis,
  reading: Reading,
  lenient: boolean,
): Scan & { readonly escapedQuote: boolean } {
  const tokens: Token[] = [];
  let comments = false;
  let escapedQuote = false;
  let depth = 0;
  let at = 0;

  const push = (kind: TokenKind, value: string, end: number): void => {
    if (tokens.length === maxTokens) throw new Unclear('too-deep');
    const key = kind === 'word' ? upperAscii(value) : kind === 'mark' ? value : '';
    tokens.push({ kind, text: value, key, start: at, end });
    at = end;
  };
  const quoted = (kind: 'string' | 'quoted', from: number, quote: string, backslash: boolean): void => {
    const read = readQuoted(text, from, quote, backslash, kind === 'quoted' || lexis.doubledQuotes);
    escapedQuote ||= read.escapedQuote;
    push(kind, kind === 'quoted' ? read.text : '', read.end);
  };

  while (at < text.length) {
    const char = text[at]!;
    if (char === ' ' || char === '\n' || char === '\t' || char === '\r') {
      at++;
      continue;
    }
    const comment = commentEnd(text, at, lexis);
    if (comment !== undefined) {
      comments = true;
      at = comment;
      continue;
    }
    const dollar = lexis.dollarQuotes ? dollarQuoteEnd(text, at, lexis.dollarTags) : undefined;
    if (dollar !== undefined) {
      push('string', '', dollar);
      continue;
    }
    if (char === "'" || (char === '"' && lexis.doubleQuotes === 'string')) {
      if (lexis.tripleQuotes && text.startsWith(char.repeat(3), at)) {
        push('string', '', tripleEnd(text, at, char));
      } else quoted('string', at, char, char === "'" ? reading.single : reading.double);
      continue;
    }
    if (char === '"' || (char === '`' && lexis.backticks)) {
      quoted('quoted', at, char, char === '`' && lexis.backtickEscapes);
      continue;
    }
    if (char === '[' && lexis.brackets) {
      quoted('quoted', at, ']', false);
      continue;
    }
    wordPattern.lastIndex = at;
    const word = wordPattern.exec(text)?.[0];
    if (word !== undefined) {
      const end = at + word.length;
      const next = text[end];
      if (next === "'" || (next === '"' && lexis.doubleQuotes === 'string')) {
        const prefix = lexis.stringPrefixes[upperAscii(word)];
        if (prefix !== undefined) {
          if (lexis.tripleQuotes && text.startsWith(next.repeat(3), end)) {
            push('string', '', tripleEnd(text, end, next));
          } else quoted('string', end, next, prefix === 'backslash');
          continue;
        }
      }
      if (
        next === '&' &&
        upperAscii(word) === 'U' &&
        lexis.unicodePrefix &&
        /["']/.test(text[end + 1] ?? '')
      ) {
        quoted(text[end + 1] === "'" ? 'string' : 'quoted', end + 1, text[end + 1]!, false);
        continue;
      }
      push('word', word, end);
      continue;
    }
    numberPattern.lastIndex = at;
    const number = numberPattern.exec(text)?.[0];
    if (number !== undefined) {
      const end = at + number.length;
      // `1a` is a name to one database, a number with an alias to another.
      if (!lexis.looseMarks && afterNumber.test(text[end] ?? '')) throw new Unclear('unparsable');
      push('number', number, end);
      continue;
    }
    lexis.parameters.lastIndex = at;
    const parameter = lexis.parameters.exec(text)?.[0];
    if (parameter !== undefined) {
      push('parameter', parameter, at + parameter.length);
      continue;
    }
    if (lenient && lexis.backslashN && text.startsWith('\\N', at)) {
      at += 2;
      continue;
    }
    const pattern = lexis.looseMarks ? looseMark : lexis.marks;
    pattern.lastIndex = at;
    const mark = pattern.exec(text)?.[0];
    if (mark === undefined) throw new Unclear('unparsable');
    if (mark === '(' || mark === '[' || mark === '{') depth++;
    if (mark === ')' || mark === ']' || mark === '}') depth--;
    if (depth > maxNesting) throw new Unclear('too-deep');
    push('mark', mark, at + mark.length);
  }
  return { tokens, comments, escapedQuote };
}

/** Any one punctuation character of ASCII but quotes and the backslash: the real grammar that comes after decides what it means. */
const looseMark = /[!#-&(-/:-@[\]^{-~]/y;

/** @param from index of the opening quote; `quote` is the closing one */
function readQuoted(
  text: string,
  from: number,
  quote: string,
  backslash: boolean,
  doubled: boolean,
): { text: string; end: number; escapedQuote: boolean } {
  let value = '';
  let escapedQuote = false;
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at]!;
    if (char === '\\') {
      const next = text[at + 1];
      escapedQuote ||= next === quote || next === '\\';
      if (backslash) {
        if (next === undefined) break;
        value += next;
        at++;
        continue;
      }
    }
    if (char !== quote) {
      value += char;
    } else if (doubled && text[at + 1] === quote) {
      value += quote;
      at++;
    } else return { text: value, end: at + 1, escapedQuote };
  }
  throw new Unclear('unparsable');
}

function tripleEnd(text: string, at: number, quote: string): number {
  const end = text.indexOf(quote.repeat(3), at + 3);
  // A backslash before or a fourth quote after moves the end.
  if (end === -1 || text[end - 1] === '\\' || text[end + 3] === quote) throw new Unclear('unparsable');
  return end + 3;
}

const tag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

function dollarQuoteEnd(text: string, at: number, tags: boolean): number | undefined {
  if (text[at] !== '$') return undefined;
  tag.lastIndex = at;
  const open = tag.exec(text)?.[0];
  if (open === undefined || (!tags && open !== '$$')) return undefined;
  const end = text.indexOf(open, at + open.length);
  if (end === -1) throw new Unclear('unparsable');
  return end + open.length;
}

/** @returns index behind the comment that starts here; undefined where none does */
function commentEnd(text: string, at: number, lexis: Lexis): number | undefined {
  if (text.startsWith('/*', at)) {
    const end = text.indexOf('*/', at + 2);
    const body = text.slice(at + 2, end);
    // MySQL executes /*! and MariaDB /*M!; hints in /*+ set variables; some databases nest comments, others do not.
    if (end === -1 || /^M?!|^\+|\/\*|\/$/.test(body)) throw new Unclear('comment');
    return end + 2;
  }
  const start = lexis.lineComments.find((mark) => text.startsWith(mark, at));
  if (start === undefined) return undefined;
  // To MySQL, `--1` is two minus signs.
  if (start === '--' && lexis.dashNeedsSpace && !/^[ \t\r\n]?$/.test(text[at + 2] ?? ''))
    throw new Unclear('comment');
  const end = text.indexOf('\n', at);
  const body = text.slice(at, end === -1 ? undefined : end);
  // Some end a line at these, others go on.
  if (/\r(?!$)|[\u0085\u2028\u2029]/.test(body) || (end === -1 && body.endsWith('\r'))) {
    throw new Unclear('comment');
  }
  return end === -1 ? text.length : end + 1;
}
