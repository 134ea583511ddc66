import { RE2JS } from 're2js';

/** A regular expression that takes time in proportion to the text, whatever the text. */
export interface LinearPattern {
  /** Whether the pattern is found anywhere in the text: JSON Schema does not anchor. */
  test(text: string): boolean;
  /** Instructions of the program: a character may cost one step of each. */
  readonly size: number;
}

/**
 * Compiles a pattern of a schema, which is an ECMA-262 expression, into a linear program.
 *
 * @returns undefined where it is no ECMA-262 expression, or where RE2 cannot say the same: look-around and
 *   back-references. A pattern that the two would read differently is not guessed at either.
 */
export function compilePattern(text: string, maxSize: number): LinearPattern | undefined {
  const known = wellKnown.get(text);
  if (known !== undefined) return known;
  const unicode = isExpression(text, 'u');
  if (!unicode && (!isExpression(text, '') || readDifferently.test(text))) return undefined;
  try {
    const program = RE2JS.compile(RE2JS.translateRegExp(toRe2(text)));
    const size = program.programSize();
    return size > maxSize ? undefined : { size, test: (value) => program.test(value) };
  } catch {
    return undefined;
  }
}

function isExpression(text: string, flags: string): boolean {
  try {
    new RegExp(text, flags);
    return true;
  } catch {
    return false;
  }
}

/** What old ECMA-262 syntax reads as plain characters, and RE2 as anchors, quotes, classes or counts. */
const readDifferently = /\\[QEAzZCpPkxuc]|\[\[:|\{,/;

const blank =
  '\\t\\n\\x0b\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const notBlank =
  '\\x00-\\x08\\x0e-\\x1f!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
  '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}';

/** RE2's `\s` and `.` are not those of ECMA-262: white space of Unicode, and four line ends instead of one. */
function toRe2(text: string): string {
  let out = '';
  let inClass = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text[index]!;
    if (unit === '\\') {
      index += 1;
      const escaped = text[index]!;
      if (escaped === 's') out += inClass ? blank : `[${blank}]`;
      else if (escaped === 'S') out += inClass ? notBlank : `[${notBlank}]`;
      else out += `\\${escaped}`;
      continue;
    }
    if (unit === '.' && !inClass) out += '[^\\n\\r\\x{2028}\\x{2029}]';
    else out += unit;
    if (unit === '[') inClass = true;
    else if (unit === ']') inClass = false;
  }
  return out;
}

/**
 * Patterns with look-ahead that the most used schema generator (zod) writes for its own formats, each as checks that
 * say the same in linear time. Without them every tool with an e-mail address would have a schema that cannot be
 * enforced.
 */
const wellKnown: ReadonlyMap<string, LinearPattern> = new Map(
  ['A-Za-z', 'a-zA-Z']
    .map((letters): readonly [string, LinearPattern] => [
      `^(?!\\.)(?!.*\\.\\.)([${letters}0-9_'+\\-\\.]*)[${letters}0-9_+-]@([${letters}0-9][${letters}0-9\\-]*\\.)+[${letters}]{2,}$`,
      both(
        /^[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}$/,
        (text) => !text.startsWith('.') && !text.includes('..'),
      ),
    ])
    .concat([
      [
        '^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+([.,]\\d+)?S)?)?)$',
        both(
          /^P(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d+)?S)?)?)$/,
          (text) => text !== 'P' && !text.endsWith('T'),
        ),
      ],
      [
        '^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$',
        both(
          /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\.?$/,
          (text) => text.length <= 253 + (text.endsWith('.') ? 1 : 0),
        ),
      ],
    ]),
);

function both(shape: RegExp, holds: (text: string) => boolean): LinearPattern {
  const program = RE2JS.compile(RE2JS.translateRegExp(shape));
  return { size: program.programSize(), test: (text) => holds(text) && program.test(text) };
}
