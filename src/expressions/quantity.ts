import { compileText } from './compile-text.ts';
import type { Declarations } from './declared.ts';
import type { Binding } from './expression.ts';
import type { Reads } from './reads.ts';

/** An expression in CEL whose result is an amount, compiled. */
export interface Quantity {
  readonly text: string;
  readonly reads: ReadonlyMap<string, Reads>;
  /** Whether it goes through lists. */
  readonly hasLoops: boolean;
  /**
   * Whole thousandths, rounded up. Total, pure and bounded, as {@link Expression.test}.
   *
   * @returns undefined where it cannot be evaluated, and where the result is negative, not finite, or too large to be
   *   told apart from its neighbours
   */
  measure(bindings: Readonly<Record<string, Binding>>): number | undefined;
}

const numbers: ReadonlySet<string> = new Set(['int', 'double']);

/** As `compileExpression`, with a number as the result; numbers of all kinds mix in its arithmetic. */
export function compileQuantity(
  text: string,
  variables: readonly string[],
  types?: Declarations,
): { readonly ok: true; readonly quantity: Quantity } | { readonly ok: false; readonly message: string } {
  const compiling = compileText(text, { variables, types, results: numbers, mixesNumbers: true });
  if (!compiling.ok) return compiling;
  const { reads, hasLoops, evaluate } = compiling.compiled;
  const measure: Quantity['measure'] = (bindings) => toThousandths(evaluate(bindings));
  return { ok: true, quantity: { text, reads, hasLoops, measure } };
}

/**
 * A number as whole thousandths, rounded up; exact where the number has at most three decimals.
 *
 * @returns undefined where it is no amount
 */
export function toThousandths(value: unknown): number | undefined {
  if (typeof value === 'bigint') {
    const exact = Number(value * 1000n);
    return value >= 0n && Number.isSafeInteger(exact) ? exact : undefined;
  }
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  // 1.1 * 1000 is 1100.0000000000002: only what really has more decimals is rounded up.
  const nearest = Math.round(value * 1000);
  const amount = nearest / 1000 === value ? nearest : Math.ceil(value * 1000);
  return Number.isSafeInteger(amount) ? amount + 0 : undefined;
}
