import { z } from 'zod';
import { argumentSpecs } from './argument-options.ts';
import { relation } from './relation-options.ts';

/** What an entry of `arguments:` says beside what it matches. */
export const argumentRuleShape = {
  args: argumentSpecs
    .prefault({})
    .describe(
      'Arguments by name or path, such as `limit`, `edits[*].path` or `["odd name"]`: a role, rewrites, or both.',
    ),
  relations: z
    .array(relation)
    .max(64)
    .prefault([])
    .describe(
      'Conditions in CEL over `args`, `principal` and `call`, on the rewritten arguments. All of them must be true.',
    ),
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

const argumentRule = z.strictObject(argumentRuleShape);

export type ArgumentRuleDocument = z.output<typeof argumentRule>;

/**
 * Reads the part of a rule that stands beside its match.
 *
 * @throws ZodError where it does not follow the schema
 */
export function readArgumentRule(document: unknown): ArgumentRuleDocument {
  return argumentRule.parse(document);
}
