import { compileQuantity } from '../expressions/quantity.ts';
import type { JsonObject } from '../values/json.ts';
import { disguises } from './conditions/disguises.ts';
import { compilePattern, type NamePattern } from './pattern.ts';

/** What amounts are told by. */
export interface AmountQuestion {
  /** Arguments as they will be sent; undefined where there are none. */
  readonly args: JsonObject | undefined;
  /** Name of the target. */
  readonly tool: string;
}

/** How much one call counts for. All amounts are whole thousandths. */
export interface CompiledAmount {
  /** As it is written, for people. */
  readonly text: string;
  /** Whether measuring costs next to nothing, whatever the arguments are. */
  readonly isCheap: boolean;
  /** The least that a call of this target can count for, whatever its arguments are. */
  least(tool: string): number;
  /** @returns undefined where it cannot be told: an argument that is missing, no number, negative, or beyond all bounds */
  measure(question: AmountQuestion): number | undefined;
}

const variables = ['args', 'tool'];
const types = { args: 'map', tool: 'string' };

/** One unit. */
const one = 1000;

export const plainCost: CompiledAmount = fixedAmount(1);

/** Says what is wrong with the text of an amount; undefined where nothing is. */
export function amountFault(text: string): string | undefined {
  const compiled = compileQuantity(text, variables, types);
  return compiled.ok ? undefined : compiled.message;
}

/** Which of `args` and `tool` the text of an amount looks at; undefined where it is no amount. */
export function readsOfAmount(text: string): ReadonlySet<string> | undefined {
  const compiled = compileQuantity(text, variables, types);
  if (!compiled.ok) return undefined;
  const reads = [...compiled.quantity.reads].filter(([, { whole, members }]) => whole || members.size > 0);
  return new Set(reads.map(([name]) => name));
}

/** @param units at most three decimals */
export function fixedAmount(units: number): CompiledAmount {
  const amount = Math.round(units * one);
  return { text: String(units), isCheap: true, least: () => amount, measure: () => amount };
}

/** Of several patterns that match, the dearest counts; a target that none matches costs one unit. */
export function amountByTool(costs: Readonly<Record<string, number>>): CompiledAmount {
  const rows: { readonly pattern: NamePattern; readonly amount: number }[] = Object.entries(costs).map(
    ([pattern, units]) => ({ pattern: compilePattern(pattern, undefined), amount: Math.round(units * one) }),
  );
  const costOf = (tool: string): number => {
    const found = rows.filter(({ pattern }) => pattern.matches(tool));
    return found.length === 0 ? one : Math.max(...found.map(({ amount }) => amount));
  };
  const text = Object.entries(costs)
    .map(([pattern, units]) => `${pattern} ${units}`)
    .join(', ');
  return { text, isCheap: true, least: costOf, measure: ({ tool }) => costOf(tool) };
}

/** @param least what it counts for at least; what comes out below is raised to it */
export function amountFromArguments(text: string, least: number): CompiledAmount {
  const compiled = compileQuantity(text, variables, types);
  if (!compiled.ok) throw new TypeError('the schema lets only expressions through');
  const { quantity } = compiled;
  const hidesArgument = disguises(quantity.reads.get('args'));
  return {
    text,
    isCheap: !quantity.hasLoops,
    least: () => least,
    measure({ args = {}, tool }) {
      if (hidesArgument(args)) return undefined;
      const amount = quantity.measure({ args, tool });
      return amount === undefined ? undefined : Math.max(least, amount);
    },
  };
}
