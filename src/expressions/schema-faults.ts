import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { createEnvironment, describeError } from './environment.ts';
import type { Expression, Reads } from './expression.ts';

type Environment = ReturnType<typeof createEnvironment>;

/**
 * Checks an expression against the schema of one of its variables, once that is known: a member that the schema does
 * not have, or that has another type than the expression takes it for, makes the expression unknown for every call.
 *
 * Knows `type`, `properties` and `items`. Whatever is open to more than one type (`anyOf`, `$ref`, lists of types,
 * `number`, which is an integer or not) is of any type, and never a fault.
 *
 * @param schema JSON Schema, such as a tool's `inputSchema`
 * @param variable the one that the schema describes
 * @returns one line that names the member; undefined where nothing is wrong. Never a value
 */
export function expressionFaults(
  expression: Expression,
  schema: JsonValue,
  variable = 'args',
): string | undefined {
  const reads = expression.reads.get(variable);
  if (reads === undefined || !isJsonObject(schema)) return undefined;
  const environment = createEnvironment();
  try {
    const typed = new Typing(environment);
    const type = typed.typeOf(reads, schema, variable);
    if (typed.fault !== undefined) return typed.fault;
    for (const name of expression.reads.keys()) {
      environment.registerVariable(name, name === variable ? type : 'dyn');
    }
    const checked = environment.check(expression.text);
    return checked.valid ? undefined : describeError(checked.error);
  } catch (error) {
    return describeError(error);
  }
}

class Typing {
  readonly #environment: Environment;
  #types = 0;
  fault: string | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The name of a type in CEL for what is read of a value. */
  typeOf(reads: Reads, schema: JsonValue | undefined, path: string): string {
    if (!isJsonObject(schema)) return 'dyn';
    const type = own(schema, 'type');
    if (type !== 'object')
      return reads.members.size > 0 && !reads.whole ? scalar(type) : simple(type, schema);
    const properties = own(schema, 'properties');
    if (!isJsonObject(properties)) return 'map';
    const types = this.#members(reads, properties, schema, path);
    if (reads.whole || types === undefined) return 'map';
    this.#types += 1;
    const name = `Object${this.#types}`;
    this.#environment.registerType(name, { fields: Object.fromEntries(types) });
    return name;
  }

  /** @returns undefined where a member has a name that no field may have */
  #members(
    reads: Reads,
    properties: JsonObject,
    schema: JsonObject,
    path: string,
  ): ReadonlyMap<string, string> | undefined {
    const types = new Map<string, string>();
    let speakable = true;
    for (const [name, below] of reads.members) {
      const member = own(properties, name);
      const at = `${path}.${name}`;
      if (member === undefined && own(schema, 'patternProperties') === undefined && !isUnion(schema)) {
        this.fault ??= `${at} is not in the schema`;
      }
      if (Object.hasOwn(Object.prototype, name)) speakable = false;
      types.set(name, this.typeOf(below, member, at));
    }
    return speakable ? types : undefined;
  }
}

/** Where a schema is put together from others, its own properties are not all. */
function isUnion(schema: JsonObject): boolean {
  return ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas'].some(
    (keyword) => own(schema, keyword) !== undefined,
  );
}

function simple(type: JsonValue | undefined, schema: JsonObject): string {
  if (type !== 'array') return scalar(type);
  const items = own(schema, 'items');
  const element = isJsonObject(items) ? scalar(own(items, 'type')) : 'dyn';
  return `list<${element}>`;
}

function scalar(type: JsonValue | undefined): string {
  switch (type) {
    case 'string':
      return 'string';
    case 'integer':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'array':
      return 'list';
    case 'object':
      return 'map';
    default:
      return 'dyn';
  }
}
