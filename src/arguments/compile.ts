import type { ArgumentRuleDocument } from './options.ts';
import type { ArgumentRule } from './rule.ts';

/** Where a rule stands, and whether it is enforced. */
export interface RulePlace {
  readonly id: string;
  /** `file:line`. */
  readonly location: string;
  readonly mode: 'enforce' | 'shadow';
}

/** Compiles one entry of `arguments:`. What the schema lets through compiles. */
export function compileArgumentRule(document: ArgumentRuleDocument, place: RulePlace): ArgumentRule {
  return {
    ...place,
    unknown: document.unknown,
    schema: document.schema,
    judge: (args) => ({ args, rewrites: [], fault: undefined, lookups: [], secrets: [] }),
  };
}
