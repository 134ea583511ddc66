import { z } from 'zod';
import { nationalNumberCountries } from './national-numbers.ts';
import { isPhoneRegion } from './phones.ts';
import { redactionClasses } from './span.ts';

/** One class of what can be redacted. */
export const redactionClass = z.enum(redactionClasses);

/** How what is redacted is found and marked. */
export const redactionOptions = z
  .strictObject({
    key: z
      .string()
      .min(1)
      .meta({ title: 'file' })
      .optional()
      .describe(
        'File with the key of the tags, at least 32 bytes. Absent: a random key per process, so that tags agree within one run only.',
      ),
    phoneRegion: z
      .string()
      .refine(isPhoneRegion, 'expected the ISO 3166 code of a country, such as DE')
      .optional()
      .describe(
        'Country whose phone numbers are also found without a country code. Absent: only numbers that begin with `+`.',
      ),
    nationalNumbers: z
      .array(z.enum(nationalNumberCountries as [string, ...string[]]))
      .min(1)
      .optional()
      .describe('Countries whose national numbers are looked for. Absent: all that are known.'),
  })
  .prefault({})
  .describe('How results are redacted where a rule asks for it.');

export type RedactionOptions = z.output<typeof redactionOptions>;
