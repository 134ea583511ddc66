import { RE2JS } from 're2js';
import { z } from 'zod';
import { type IdPreset, idPresets } from './id-presets.ts';

export const idOptions = z
  .strictObject({
    preset: z
      .enum(Object.keys(idPresets) as [IdPreset, ...IdPreset[]])
      .optional()
      .describe(
        'What kind of identifier it is. Absent: letters, digits and `_ . : @ + - /` in non-empty parts.',
      ),
    pattern: z
      .string()
      .min(1)
      .max(1024)
      .refine((text) => compilePattern(text) !== undefined, { error: 'expected a pattern in RE2 syntax' })
      .optional()
      .describe('RE2 syntax, over the whole text. Instead of a preset; what no id may have stays refused.'),
    minLength: z.int().min(1).max(65_536).optional().describe('Characters. Default 1.'),
    maxLength: z.int().min(1).max(65_536).optional().describe('Characters. Default 256.'),
    numbers: z
      .boolean()
      .optional()
      .describe('Whole numbers are taken too, and judged by their digits. Default `false`.'),
    unicode: z
      .boolean()
      .optional()
      .describe(
        'Letters, marks and digits of every script count as letters, in their compatibility form (NFKC). Default `false`: ASCII only.',
      ),
    dots: z.enum(['refuse', 'allow']).optional().describe('Two dots in a row. Default `refuse`.'),
    leadingDash: z
      .enum(['refuse', 'allow'])
      .optional()
      .describe(
        'A dash at the beginning. Default `refuse`: a program that gets the id as a word of its command line takes it for an option.',
      ),
    metacharacters: z
      .enum(['refuse', 'allow'])
      .optional()
      .describe(
        'With `pattern`: what shells act on, spaces included, as far as the pattern has it. Default `refuse`: a server that builds a command line from the id runs what the caller wrote.',
      ),
  })
  .superRefine((options, context) => {
    const { preset, pattern, metacharacters, unicode, minLength, maxLength } = options;
    const issue = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (preset !== undefined && pattern !== undefined)
      issue('pattern', 'stands instead of `preset`, not beside it');
    if (metacharacters === 'allow' && pattern === undefined) {
      issue('metacharacters', 'needs a `pattern` that says which');
    }
    if (unicode === true && preset !== undefined && asciiPresets.has(preset)) {
      issue('unicode', `\`${preset}\` has ASCII characters only`);
    }
    if ((minLength ?? 1) > (maxLength ?? defaultMaxLength)) issue('minLength', 'must not exceed `maxLength`');
  });

export type IdOptions = z.output<typeof idOptions>;

/** Kinds whose own rules know no other letters. */
const asciiPresets: ReadonlySet<IdPreset> = new Set([
  'hash',
  'host',
  'image',
  'kubernetes',
  'number',
  'opaque',
  'version',
]);

/** Because no system's ids are longer, and longer texts are something else. */
export const defaultMaxLength = 256;

/** Linear-time expression over the whole text; undefined where the text is not one. */
export function compilePattern(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text);
  } catch {
    return undefined;
  }
}
