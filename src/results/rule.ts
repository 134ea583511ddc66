import type { ResultRuleDocument } from './options.ts';
import { createPlan, type ResultPlan } from './plan.ts';

/** One entry of `results:` of a policy file, compiled. What it matches has been settled by policy/. */
export interface ResultRule {
  readonly id: string;
  /** `file:line`. */
  readonly location: string;
  readonly mode: 'enforce' | 'shadow';
  readonly document: ResultRuleDocument;
  /** What it asks for by itself, as most results have one rule. */
  readonly plan: ResultPlan;
}

/** Compiles one entry of `results:`. */
export function compileResultRule(
  document: ResultRuleDocument,
  place: { readonly id: string; readonly location: string; readonly mode: 'enforce' | 'shadow' },
): ResultRule {
  return { ...place, document, plan: createPlan([{ id: place.id, document }]) };
}

/** What several rules ask for together, those of one mode; undefined where there is none. */
export function planOf(rules: readonly ResultRule[], mode: ResultRule['mode']): ResultPlan | undefined {
  const meant = rules.filter((rule) => rule.mode === mode);
  return meant.length < 2 ? meant[0]?.plan : createPlan(meant);
}
