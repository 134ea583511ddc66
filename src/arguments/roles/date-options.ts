import { z } from 'zod';
import { parseInstant } from './instant.ts';

const bound = z.string().superRefine((text, context) => {
  if (parseInstant(text) === undefined) {
    context.addIssue({ code: 'custom', message: 'expected a date such as 2026-01-31, or one with a time' });
  }
});

/** `date:` of an argument. */
export const dateOptions = z
  .strictObject({
    time: z
      .enum(['never', 'allow', 'require'])
      .prefault('never')
      .describe(
        'Whether a time of day follows, as in `2026-01-31T12:00:00Z` (RFC 3339). Default `never`: a plain date.',
      ),
    offset: z
      .enum(['require', 'allow', 'never'])
      .prefault('require')
      .describe(
        'Whether a time has its offset from UTC. Default `require`, because without it two readers read two instants.',
      ),
    min: bound
      .optional()
      .describe('Earliest, itself included. A plain date is its beginning; where an offset is absent, UTC.'),
    max: bound
      .optional()
      .describe('Latest, itself included. A plain date is its beginning; where an offset is absent, UTC.'),
  })
  .refine(
    ({ min, max }) =>
      min === undefined || max === undefined || parseInstant(min)!.ms <= parseInstant(max)!.ms,
    { error: '`min` is later than `max`' },
  );
