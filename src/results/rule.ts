import type { ResultRuleDocument } from './options.ts';

/** One entry of `results:` of a policy file, compiled. What it matches has been settled by policy/. */
export interface ResultRule {
  readonly id: string;
  /** `file:line`. */
  readonly location: string;
  readonly mode: 'enforce' | 'shadow';
  readonly document: ResultRuleDocument;
}

/** Compiles one entry of `results:`. */
export function compileResultRule(
  document: ResultRuleDocument,
  place: { readonly id: string; readonly location: string; readonly mode: 'enforce' | 'shadow' },
): ResultRule {
  return { ...place, document };
}
