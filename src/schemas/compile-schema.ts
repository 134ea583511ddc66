import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import { compileGraph, dialectOf } from './compile-node.ts';
import { formatPath, type SchemaFault } from './fault.ts';
import { defaultSchemaLimits, type SchemaLimits } from './limits.ts';
import type { Node } from './node.ts';
import { Run, spent } from './run.ts';
import { Unenforceable } from './site.ts';

/** A tool's schema, ready to judge. Pure, synchronous, bounded in time whatever schema and value are. */
export interface CompiledSchema {
  /** Whether neither `judge` nor `unknownIn` would find anything, in one walk. */
  fits(value: JsonValue, alsoNamed: ReadonlySet<string>): boolean;
  /** @returns undefined where the value fits */
  judge(value: JsonValue): SchemaFault | undefined;
  /**
   * The first member that nothing in the schema names, though the schema may be open to it: of the whole value always,
   * of objects inside it where they declare members and say nothing of others. Names count where the alternative that
   * declares them holds. Asked after `judge` found no fault.
   *
   * @param alsoNamed names, or paths such as `edits[*].path`, that are known for another reason
   * @returns its path as `SchemaFault` writes it
   */
  unknownIn(value: JsonValue, alsoNamed: ReadonlySet<string>): string | undefined;
}

export type SchemaCompilation =
  | { readonly ok: true; readonly schema: CompiledSchema }
  /** It cannot be enforced. */
  | {
      readonly ok: false;
      /** One stable word in kebab case, for operators. */
      readonly reason: string;
      /** Where in the schema. */
      readonly path: string;
    };

/**
 * Compiles a JSON Schema of 2020-12, or of draft-07 where `$schema` says so. The schema is a stranger's: nothing is
 * fetched, no code is made from it, and whatever is in it, compiling and judging stay within the limits.
 */
export function compileSchema(
  schema: JsonValue,
  limits: SchemaLimits = defaultSchemaLimits,
): SchemaCompilation {
  try {
    const copy = copySchema(schema, limits);
    const dialect = isJsonObject(copy) ? dialectOf(copy) : '2020-12';
    if (dialect === undefined) throw new Unenforceable('dialect-unknown', '$schema');
    return { ok: true, schema: judgeOf(compileGraph(copy, dialect, limits), limits) };
  } catch (thrown) {
    if (thrown instanceof Unenforceable) return { ok: false, reason: thrown.reason, path: thrown.path };
    throw thrown;
  }
}

function judgeOf(root: Node, limits: SchemaLimits): CompiledSchema {
  return {
    fits(value, alsoNamed) {
      const run = new Run(limits.maxSteps, alsoNamed);
      return settled(() => root.enter(value, run, true), run);
    },
    judge(value) {
      const run = new Run(limits.maxSteps);
      return settled(() => root.enter(value, run, true), run)
        ? undefined
        : (run.fault ?? { path: '', keyword: 'schema' });
    },
    unknownIn(value, alsoNamed) {
      const run = new Run(limits.maxSteps, alsoNamed);
      return settled(() => root.enter(value, run, true), run) ? undefined : (run.unknown ?? '');
    },
  };
}

/** Refuses where judging would cost more steps, or more stack, than it may. */
function settled(judge: () => boolean, run: Run): boolean {
  try {
    return judge();
  } catch (thrown) {
    if (thrown === spent) run.fault = { path: '', keyword: 'steps' };
    else if (thrown instanceof RangeError) run.fault = { path: '', keyword: 'depth' };
    else throw thrown;
    return false;
  }
}

/**
 * A copy whose objects have no prototype, so that `constructor` is as unknown as any other name; bounded on the way.
 */
function copySchema(schema: JsonValue, limits: SchemaLimits): JsonValue {
  let bytes = 0;
  const spend = (more: number): void => {
    bytes += more;
    if (bytes > limits.maxBytes) throw new Unenforceable('schema-too-large', '');
  };
  const copy = (value: JsonValue, depth: number): JsonValue => {
    if (depth > limits.maxDepth) throw new Unenforceable('schema-too-deep', '');
    spend(1);
    if (typeof value === 'string') {
      spend(Buffer.byteLength(value));
      return value;
    }
    if (typeof value !== 'object' || value === null || isExactNumber(value)) {
      spend(4);
      return value;
    }
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map((entry) => copy(entry, depth + 1));
    const object: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
    for (const [key, member] of Object.entries(value as JsonObject)) {
      // Merged into a plain object anywhere, it would change what every object inherits.
      if (key === '__proto__') throw new Unenforceable('key-forbidden', formatPath([key]));
      if (member === undefined) continue;
      spend(Buffer.byteLength(key) + 3);
      object[key] = copy(member, depth + 1);
    }
    return object;
  };
  return copy(schema, 0);
}
