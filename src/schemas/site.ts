import type { JsonObject, JsonValue } from '../values/json.ts';
import type { SchemaLimits } from './limits.ts';
import type { Node } from './node.ts';
import type { LinearPattern } from './pattern.ts';

export type Dialect = '2020-12' | 'draft-07';

/** Thrown inside this room where a schema cannot be enforced; compileSchema gives it back as a value. */
export class Unenforceable {
  readonly reason: string;
  readonly path: string;

  constructor(reason: string, path: string) {
    this.reason = reason;
    this.path = path;
  }
}

/** One subschema while it is compiled: what its keywords may ask for. */
export interface Site {
  readonly schema: JsonObject;
  readonly node: Node;
  readonly dialect: Dialect;
  readonly limits: SchemaLimits;
  /** Compiles a subschema that looks at a member or an entry of the value. */
  child(schema: JsonValue, ...path: readonly string[]): Node;
  /** Compiles a subschema that looks at the same value. */
  inPlace(schema: JsonValue, ...path: readonly string[]): Node;
  /** The subschema that a `$ref` names. */
  target(reference: JsonValue): Node;
  pattern(text: string, ...path: readonly string[]): LinearPattern;
  /** Counts values of `enum`. */
  countValues(count: number): void;
  /** @throws Unenforceable always */
  fail(reason: string, ...path: readonly string[]): never;
}

/** What a keyword's value must be; anything else is a schema that says nothing certain. */
export function requireObject(site: Site, keyword: string, value: JsonValue): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || JSON.isRawJSON(value)) {
    return site.fail('keyword-invalid', keyword);
  }
  return value as JsonObject;
}

export function requireList(site: Site, keyword: string, value: JsonValue): readonly JsonValue[] {
  if (!Array.isArray(value)) return site.fail('keyword-invalid', keyword);
  return value as readonly JsonValue[];
}

export function requireNames(site: Site, keyword: string, value: JsonValue): readonly string[] {
  const names = requireList(site, keyword, value);
  if (!names.every((name) => typeof name === 'string')) return site.fail('keyword-invalid', keyword);
  return names as readonly string[];
}

export function requireCount(site: Site, keyword: string, value: JsonValue): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    return site.fail('keyword-invalid', keyword);
  }
  return value;
}
