import { z } from 'zod';

/** What an entry of `arguments:` says beside what it matches. */
export const argumentRuleShape = {
  args: z
    .record(z.string(), z.strictObject({}))
    .prefault({})
    .describe('Arguments by name or path, each with its role.'),
  unknown: z
    .enum(['refuse', 'allow'])
    .optional()
    .describe(
      "Arguments that neither the tool's schema nor `args` names. Default `refuse`, also where the schema is open.",
    ),
  schema: z
    .enum(['enforce', 'alert', 'off'])
    .optional()
    .describe(
      "The tool's own schema. Default `enforce`: a call that does not fit, or whose schema cannot be enforced, is refused. `alert`: counted and audited only. `off`: not looked at.",
    ),
};

export type ArgumentRuleDocument = z.output<z.ZodObject<typeof argumentRuleShape>>;
