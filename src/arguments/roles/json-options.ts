import { z } from 'zod';
import { bytes } from '../../document/units.ts';
import { nestedArguments } from '../value-options.ts';

/** `json:` of an argument. */
export const jsonOptions = z
  .strictObject({
    maxBytes: bytes({ min: 1, max: 64 * 1024 ** 2 })
      .prefault('256KiB')
      .describe(
        'Greatest size of the text, as UTF-8. Default 256KiB, because all of it is read for each call.',
      ),
    maxDepth: z
      .int()
      .min(1)
      .max(1000)
      .prefault(32)
      .describe('Nesting. Default 32: deeper than honest data, shallower than what breaks parsers.'),
    maxValues: z
      .int()
      .min(1)
      .max(1_000_000)
      .prefault(10_000)
      .describe('Values in the text. Default 10000: each costs the server more memory than its text.'),
    args: nestedArguments
      .optional()
      .describe(
        'What is inside, by path from the outermost object: the roles of an argument, without rewrites.',
      ),
    unknown: z
      .enum(['refuse', 'allow'])
      .prefault('allow')
      .describe('Members of the outermost object that `args` does not name. Default `allow`.'),
  })
  .refine(({ args, unknown }) => args !== undefined || unknown === 'allow', {
    error: '`unknown: refuse` needs `args`',
  });
