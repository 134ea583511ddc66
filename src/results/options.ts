import { z } from 'zod';

/** What an entry of `results:` says beside what it matches. */
export const resultRuleShape = {
  maxBytes: z.int().min(1).optional().describe('Largest result in bytes.'),
};

export type ResultRuleDocument = z.output<z.ZodObject<typeof resultRuleShape>>;
