import type { Environment } from '@marcbachmann/cel-js';
import { type Declarations, declaredFault, resultFault } from './declared.ts';
import { createEnvironment, describeError, longestText } from './environment.ts';
import type { Binding } from './expression.ts';
import { Meter } from './meter.ts';
import type { Node } from './node.ts';
import { prepare } from './prepare.ts';
import type { Reads } from './reads.ts';
import { timeFunctions } from './time-functions.ts';
import { type Tally, toCel } from './to-cel.ts';

/** A checked text, whatever its result is. */
export interface CompiledText {
  readonly reads: ReadonlyMap<string, Reads>;
  /** Whether it goes through lists. What does not costs little, whatever the values are. */
  readonly hasLoops: boolean;
  /** Pure and bounded. Undefined where it cannot be evaluated; never throws. */
  evaluate(bindings: Readonly<Record<string, Binding>>): unknown;
}

export interface TextShape {
  /** Names of what it may read. */
  readonly variables: readonly string[];
  /** Where known, the type of every variable. With types, functions over moments may be used. */
  readonly types: Declarations | undefined;
  /** CEL types that the result may have. */
  readonly results: ReadonlySet<string>;
  /** Whether integers and other numbers mix, and a division keeps what is behind the point. CEL does neither. */
  readonly mixesNumbers: boolean;
}

/** Compiles and type-checks a text. What cannot work whatever the values are is said now. */
export function compileText(
  text: string,
  { variables, types, results, mixesNumbers }: TextShape,
): { readonly ok: true; readonly compiled: CompiledText } | { readonly ok: false; readonly message: string } {
  if (text.length > longestText) return wrong(`an expression has at most ${longestText} characters`);
  try {
    const parsed = environmentFor(variables).parse(text);
    const checked = parsed.check();
    if (!checked.valid) return wrong(describeError(checked.error));
    const unwanted = resultFault(checked.type, results);
    if (unwanted !== undefined) return wrong(unwanted);
    const meter = new Meter();
    const reads = prepare(parsed.ast as unknown as Node, variables, meter, {
      more: types === undefined ? undefined : timeFunctions,
      mixesNumbers,
    });
    const fault = types === undefined ? undefined : declaredFault(text, reads, types, results);
    if (fault !== undefined) return wrong(fault);
    return { ok: true, compiled: { reads, hasLoops: meter.hasLoops, evaluate } };

    function evaluate(bindings: Readonly<Record<string, Binding>>): unknown {
      try {
        const tally: Tally = { values: 0, largest: 0 };
        const values = new Map<string, unknown>();
        for (const [name, read] of reads) {
          if (Object.hasOwn(bindings, name)) values.set(name, toCel(bindings[name]!, read, tally));
        }
        meter.start(tally);
        const result: unknown = parsed(values as never);
        return meter.exhausted ? undefined : result;
      } catch {
        return undefined;
      }
    }
  } catch (error) {
    return wrong(describeError(error));
  }
}

function wrong(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

function environmentFor(variables: readonly string[]): Environment {
  return variables.reduce(
    (environment, name) => environment.registerVariable(name, 'dyn'),
    createEnvironment(),
  );
}
