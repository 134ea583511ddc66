import { createEnvironment, describeError } from './environment.ts';
import type { Reads } from './reads.ts';

/** The type of a variable or a member, as CEL names it, or its members by name. */
export type Declared = string | { readonly [member: string]: Declared };

export type Declarations = Readonly<Record<string, Declared>>;

/**
 * Checks an expression against variables whose types are known: a member that there never is, or that is of another type
 * than an operator takes, would make the expression unknown every time.
 *
 * @param results types that the result may have
 * @returns one line; undefined where nothing is wrong
 */
export function declaredFault(
  text: string,
  reads: ReadonlyMap<string, Reads>,
  declarations: Declarations,
  results: ReadonlySet<string>,
): string | undefined {
  for (const [name, read] of reads) {
    const fault = memberFault(read, declarations[name]!, name);
    if (fault !== undefined) return fault;
  }
  const environment = createEnvironment();
  let types = 0;
  const typeOf = (declared: Declared): string => {
    if (typeof declared === 'string') return declared;
    const fields = Object.fromEntries(Object.entries(declared).map(([name, type]) => [name, typeOf(type)]));
    types += 1;
    const name = `Object${types}`;
    environment.registerType(name, { fields });
    return name;
  };
  for (const [name, declared] of Object.entries(declarations)) {
    environment.registerVariable(name, typeOf(declared));
  }
  const checked = environment.check(text);
  if (!checked.valid) return describeError(checked.error);
  const { type } = checked;
  return resultFault(type, results);
}

/** Whether a result is of a type that is wanted, or of one that only shows with values. */
export function resultFault(type: string | undefined, results: ReadonlySet<string>): string | undefined {
  if (type === 'dyn' || (type !== undefined && results.has(type))) return undefined;
  return `the result is of type ${type}, not ${[...results].join(' or ')}`;
}

/** `has` asks for any member, so that the check of types lets a misspelt one pass. */
function memberFault(reads: Reads, declared: Declared, path: string): string | undefined {
  if (typeof declared === 'string') return undefined;
  for (const [name, below] of reads.members) {
    if (!Object.hasOwn(declared, name)) {
      return `${path} has no member ${name}: it has ${Object.keys(declared).join(', ')}`;
    }
    const fault = memberFault(below, declared[name]!, `${path}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
