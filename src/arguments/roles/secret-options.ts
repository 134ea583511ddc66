import { z } from 'zod';

/** `secret:` of an argument. */
export const secretOptions = z.strictObject({
  maxLength: z
    .int()
    .min(1)
    .prefault(16_384)
    .describe('Code points. Default 16384: longer than any token or key that somebody hands over.'),
});
