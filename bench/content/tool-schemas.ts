import { isJsonObject, type JsonObject, type JsonValue, own } from '../../src/values/json.ts';
import { Members } from './members.ts';
import { parseExact } from './rows.ts';

const schemaNames = ['inputschema', 'schema', 'parameters', 'argsschema', 'jsonschema'];

/**
 * The input schemas that a row brings, by the name of the tool; under the empty name the one that stands beside a call.
 * Definitions may be a list, an object by name, or JSON text of one.
 */
export function schemasIn(row: JsonObject): ReadonlyMap<string, JsonObject> {
  const members = new Members(row);
  const found = new Map<string, JsonObject>();
  for (const name of ['tools', 'functions', 'tooldefinitions', 'availabletools', 'tool', 'function']) {
    const value = members.get(name);
    const parsed = typeof value === 'string' && /^\s*[[{]/.test(value) ? parseExact(value) : value;
    if (parsed !== undefined) collect(parsed, found);
  }
  const beside = members.first(['inputschema', 'toolschema', 'schema'], isJsonObject)?.value;
  if (beside !== undefined) found.set('', toSchema(beside));
  return found;
}

function collect(value: JsonValue, found: Map<string, JsonObject>): void {
  if (Array.isArray(value)) {
    for (const element of value as readonly JsonValue[]) collect(element, found);
    return;
  }
  if (!isJsonObject(value)) return;
  const inner = own(value, 'function');
  const members = new Members(isJsonObject(inner) ? inner : value);
  const name = members.get('name');
  const schema = members.first(schemaNames, isJsonObject)?.value;
  if (typeof name === 'string' && schema !== undefined) found.set(name, toSchema(schema));
}

/** JSON Schema of what may be a mere list of parameters: `{city: {type: "str, optional", description}}`. */
function toSchema(schema: JsonObject): JsonObject {
  const isSchema =
    isJsonObject(own(schema, 'properties')) ||
    typeof own(schema, 'type') === 'string' ||
    Object.hasOwn(schema, '$schema');
  if (isSchema) return schema;
  const properties: Record<string, JsonObject> = {};
  for (const [name, member] of Object.entries(schema)) {
    if (member === undefined || !isJsonObject(member)) continue;
    const type = own(member, 'type');
    const known = typeof type === 'string' ? typeOf(type) : undefined;
    properties[name] = known === undefined ? {} : { type: known };
  }
  return { type: 'object', properties };
}

function typeOf(text: string): string | undefined {
  const word = /^(?:optional\[)?([a-z]+)/i.exec(text.trim())?.[1]?.toLowerCase() ?? '';
  return types.get(word);
}

const types: ReadonlyMap<string, string> = new Map([
  ['str', 'string'],
  ['string', 'string'],
  ['int', 'integer'],
  ['integer', 'integer'],
  ['float', 'number'],
  ['number', 'number'],
  ['bool', 'boolean'],
  ['boolean', 'boolean'],
  ['list', 'array'],
  ['array', 'array'],
  ['dict', 'object'],
  ['object', 'object'],
]);
