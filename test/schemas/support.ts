import { type CompiledSchema, compileSchema } from '../../src/schemas/compile-schema.ts';
import { defaultSchemaLimits, type SchemaLimits } from '../../src/schemas/limits.ts';
import type { JsonValue } from '../../src/values/json.ts';

/** A compiled schema; fails the test where it cannot be enforced. */
export function compiled(schema: unknown, limits: Partial<SchemaLimits> = {}): CompiledSchema {
  const made = compileSchema(schema as JsonValue, { ...defaultSchemaLimits, ...limits });
  if (!made.ok) throw new Error(`${made.reason} at ${made.path}`);
  return made.schema;
}

/** Why a schema cannot be enforced; `enforceable` where it can. */
export function reasonOf(schema: unknown, limits: Partial<SchemaLimits> = {}): string {
  const made = compileSchema(schema as JsonValue, { ...defaultSchemaLimits, ...limits });
  return made.ok ? 'enforceable' : made.reason;
}

/** `fits`, or the fault in one word and place. */
export function judged(schema: unknown, value: unknown, limits: Partial<SchemaLimits> = {}): string {
  const fault = compiled(schema, limits).judge(value as JsonValue);
  if (fault === undefined) return 'fits';
  return fault.path === '' ? fault.keyword : `${fault.path}: ${fault.keyword}`;
}

/** The unknown name, or `none`. */
export function unknownIn(schema: unknown, value: unknown, alsoNamed: readonly string[] = []): string {
  const made = compiled(schema);
  const names = new Set(alsoNamed);
  const unknown = made.unknownIn(value as JsonValue, names);
  const fits = made.fits(value as JsonValue, names);
  if (fits !== (unknown === undefined && made.judge(value as JsonValue) === undefined)) {
    throw new Error('the one walk says something else than the two');
  }
  return unknown ?? 'none';
}
