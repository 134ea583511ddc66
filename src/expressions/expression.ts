import type { JsonValue } from '../values/json.ts';
import { compileText } from './compile-text.ts';
import type { Declarations } from './declared.ts';
import type { Reads } from './reads.ts';

export type { Declarations } from './declared.ts';
export type { Reads } from './reads.ts';

/** What an expression says of its bindings. What cannot be evaluated is `unknown`, and that refuses. */
export type Truth = 'true' | 'false' | 'unknown';

/** A value of a variable: JSON, or an object of such values and of moments. */
export type Binding = JsonValue | Date | { readonly [member: string]: Binding | undefined };

/** A condition in CEL (https://cel.dev), compiled. */
export interface Expression {
  readonly text: string;
  /** What it looks at, variable by variable, as far as that is known without values. */
  readonly reads: ReadonlyMap<string, Reads>;
  /**
   * Total, pure and bounded: never throws, reads no clock, and takes a bounded number of steps whatever the values are.
   *
   * `unknown` where a member that it reads is missing, a value has another type than an operator takes, a list or an
   * object is too large or too deep to be looked at, the steps run out, or the result is no truth value.
   *
   * @param bindings values of the declared variables; others are not seen
   */
  test(bindings: Readonly<Record<string, Binding>>): Truth;
}

export type CompiledExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles and type-checks an expression whose result is a truth value. What cannot work whatever the values are is
 * said now: syntax, unknown variables and functions, operators on types that do not have them.
 *
 * @param variables names of what it may read; all are of any type
 * @param types where known, the type of every variable: then members that there never are, and operators that do not take
 *   them, are faults. With types, functions over moments may be used
 */
export function compileExpression(
  text: string,
  variables: readonly string[],
  types?: Declarations,
): CompiledExpression {
  const shape = { variables, types, results: truths, mixesNumbers: false };
  const compiling = compileText(text, shape);
  if (!compiling.ok) return compiling;
  const { reads, evaluate } = compiling.compiled;
  return {
    ok: true,
    expression: {
      text,
      reads,
      test(bindings) {
        const result = evaluate(bindings);
        return result === true ? 'true' : result === false ? 'false' : 'unknown';
      },
    },
  };
}

const truths: ReadonlySet<string> = new Set(['bool']);
