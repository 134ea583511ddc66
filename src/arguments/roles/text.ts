import type { z } from 'zod';
import type { JsonValue } from '../../values/json.ts';
import { hasManyMarks } from '../../values/normal-form.ts';
import { finish, type Steps } from '../../values/steps.ts';
import { isLongerThan, isShorterThan } from '../lengths.ts';
import type { Role, RoleFault, RoleKind, RoleName } from '../role.ts';
import { createUnwantedSearch } from '../unwanted.ts';
import { toFaults } from './faults.ts';
import { compilePattern, longestMatched, proseOptions, textOptions } from './text-options.ts';

const faults = toFaults({
  type: 'send text',
  'too-short': 'lower `minLength`',
  'too-long': 'raise `maxLength`',
  'too-large': 'raise `maxBytes`',
  control: 'take `control` out of `ban`, or add `strip: [control]`',
  bidi: 'take `bidi` out of `ban`, or add `strip: [bidi]`',
  invisible: 'take `invisible` out of `ban`, or add `strip: [invisible]`',
  'not-normalized': 'leave out `normalization`, or add `normalize: nfc`',
  pattern: 'change `pattern`',
});

/** Text of a bounded size. Never judged by what it says. */
export const textRole = {
  name: 'text',
  options: textOptions,
  compile: (options: z.output<typeof textOptions>) => compileText('text', options),
} satisfies RoleKind<typeof textOptions>;

/** Source code of a bounded size. Never judged by what it says. */
export const codeRole = {
  name: 'code',
  options: proseOptions,
  compile: (options: z.output<typeof proseOptions>) => compileText('code', options),
} satisfies RoleKind<typeof proseOptions>;

/** Markdown of a bounded size. Never judged by what it says. */
export const markdownRole = {
  name: 'markdown',
  options: proseOptions,
  compile: (options: z.output<typeof proseOptions>) => compileText('markdown', options),
} satisfies RoleKind<typeof proseOptions>;

function compileText(name: RoleName, options: z.output<typeof textOptions>): Role {
  const { minLength, maxBytes, normalization } = options;
  const findUnwanted = createUnwantedSearch(new Set(options.ban));
  const pattern = options.pattern === undefined ? undefined : compilePattern(options.pattern);
  const maxLength = options.maxLength ?? (pattern === undefined ? undefined : longestMatched);
  function* judge(value: JsonValue): Steps<RoleFault | undefined> {
    if (typeof value !== 'string') return faults.type;
    if (maxLength !== undefined && isLongerThan(value, maxLength)) return faults['too-long'];
    if (minLength !== undefined && isShorterThan(value, minLength)) return faults['too-short'];
    if (maxBytes !== undefined && isLargerThan(value, maxBytes)) return faults['too-large'];
    const unwanted = yield* findUnwanted(value);
    if (unwanted !== undefined) return faults[unwanted];
    if (normalization !== undefined && !isPlain(value) && !(yield* isNormal(value))) {
      return faults['not-normalized'];
    }
    return pattern === undefined || pattern.matcher(value).matches() ? undefined : faults.pattern;
  }

  return { name, secret: false, judge: (value) => finish(judge(value)), judgeSteps: judge };
}

function isLargerThan(text: string, bytes: number): boolean {
  // No UTF-16 unit takes more than three bytes of UTF-8.
  return text.length * 3 > bytes && Buffer.byteLength(text, 'utf8') > bytes;
}

/** 64 Ki units: a text that is not normal is mostly found so at its beginning. */
const pieceLength = 65_536;
const firstMark = 0x300;

/** Nor is what has more marks on one letter than can be put in order in reasonable time. */
function* isNormal(text: string): Steps<boolean> {
  if (hasManyMarks(text)) return false;
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + pieceLength);
    // No letter below the first mark changes together with what stands before it.
    while (end < text.length && text.charCodeAt(end) >= firstMark) end += 1;
    const piece = text.slice(start, end);
    if (piece.normalize('NFC') !== piece) return false;
    start = end;
    yield;
  }
  return true;
}

/** ASCII is in every normal form. */
function isPlain(text: string): boolean {
  return /^[\u0000-\u007f]*$/.test(text);
}
