import type { Environment } from '@marcbachmann/cel-js';
import type { JsonValue } from '../values/json.ts';
import { type Declarations, declaredFault } from './declared.ts';
import { createEnvironment, describeError, longestText } from './environment.ts';
import { Meter } from './meter.ts';
import type { Node } from './node.ts';
import { prepare } from './prepare.ts';
import type { Reads } from './reads.ts';
import { timeFunctions } from './time-functions.ts';
import { type Tally, toCel } from './to-cel.ts';

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
  if (text.length > longestText) return wrong(`an expression has at most ${longestText} characters`);
  try {
    const parsed = environmentFor(variables).parse(text);
    const checked = parsed.check();
    if (!checked.valid) return wrong(describeError(checked.error));
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      return wrong(`the result is of type ${checked.type}, not bool`);
    }
    const meter = new Meter();
    const functions = types === undefined ? undefined : timeFunctions;
    const reads = prepare(parsed.ast as unknown as Node, variables, meter, functions);
    const fault = types === undefined ? undefined : declaredFault(text, reads, types);
    if (fault !== undefined) return wrong(fault);
    return { ok: true, expression: { text, reads, test: (bindings) => evaluate(bindings) } };

    function evaluate(bindings: Readonly<Record<string, Binding>>): Truth {
      try {
        const tally: Tally = { values: 0, largest: 0 };
        const values = new Map<string, unknown>();
        for (const [name, read] of reads) {
          if (Object.hasOwn(bindings, name)) values.set(name, toCel(bindings[name]!, read, tally));
        }
        meter.start(tally);
        const result: unknown = parsed(values as never);
        if (meter.exhausted) return 'unknown';
        return result === true ? 'true' : result === false ? 'false' : 'unknown';
      } catch {
        return 'unknown';
      }
    }
  } catch (error) {
    return wrong(describeError(error));
  }
}

function wrong(message: string): CompiledExpression {
  return { ok: false, message };
}

function environmentFor(variables: readonly string[]): Environment {
  return variables.reduce(
    (environment, name) => environment.registerVariable(name, 'dyn'),
    createEnvironment(),
  );
}
