import { RE2JS } from 're2js';
import { z } from 'zod';
import { bytes } from '../../document/units.ts';
import { unwantedKinds } from '../unwanted.ts';

/** A pattern reads every character several times: no more of them than in a long page. */
export const longestMatched = 4096;

const shared = {
  minLength: z.int().min(0).optional().describe('Shortest length, in code points.'),
  maxLength: z.int().min(0).optional().describe('Greatest length, in code points.'),
  maxBytes: bytes().optional().describe('Greatest size, as UTF-8.'),
  ban: z
    .array(z.enum(unwantedKinds))
    .optional()
    .describe(
      'Characters that are refused. `control`: C0 and C1 but for tab and line ends. `bidi`: marks that turn the ' +
        'direction of text. `invisible`: zero-width characters, tags, and variation selectors that belong to no emoji. Default: none.',
    ),
  normalization: z
    .literal('nfc')
    .optional()
    .describe('The text is in this Unicode normal form. Absent: any.'),
};

/** `code:` and `markdown:` of an argument. */
export const proseOptions = z
  .strictObject(shared)
  .refine(lengthsAgree, { error: '`minLength` exceeds `maxLength`' });

/** `text:` of an argument. */
export const textOptions = z
  .strictObject({
    ...shared,
    pattern: z
      .string()
      .min(1)
      .max(1000)
      .refine((text) => compilePattern(text) !== undefined, { error: 'expected a pattern in RE2 syntax' })
      .optional()
      .describe(
        'RE2 syntax, over the whole text, in linear time. Text of more than 4096 code points is then refused.',
      ),
  })
  .refine(lengthsAgree, { error: '`minLength` exceeds `maxLength`' })
  .refine(({ pattern, maxLength }) => pattern === undefined || (maxLength ?? 0) <= longestMatched, {
    error: `with \`pattern\`, \`maxLength\` is ${longestMatched} at most`,
  });

/** Linear-time regular expression; undefined where the text is not one. */
export function compilePattern(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text);
  } catch {
    return undefined;
  }
}

function lengthsAgree({
  minLength,
  maxLength,
}: {
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
}): boolean {
  return minLength === undefined || maxLength === undefined || minLength <= maxLength;
}
