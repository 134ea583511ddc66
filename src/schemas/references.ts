import { isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';

const one = [
  'additionalItems',
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const lists = ['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems'];
const maps = ['$defs', 'definitions', 'dependencies', 'dependentSchemas', 'patternProperties', 'properties'];

/** Names of subschemas inside one document. A subschema with an `$id` of its own begins another resource. */
export interface References {
  /** The resource that a subschema belongs to, given that of the subschema around it. */
  resourceOf(schema: JsonObject, around: JsonObject): JsonObject;
  /**
   * What a reference means.
   *
   * @returns `undefined` where there is nothing of that name; `remote` where it leaves the document: nothing is ever
   *   fetched (2020-12 core, section 8.2.3.2; MCP 2026-07-28, basic/index)
   */
  find(reference: string, from: JsonObject): Found | undefined | 'remote';
}

export interface Found {
  readonly schema: JsonValue;
  readonly resource: JsonObject;
}

/** Finds the anchors of a schema. Only where subschemas stand: an `enum` or a `default` is data, whatever it holds. */
export function indexReferences(root: JsonObject): References {
  const anchors = new Map<JsonObject, Map<string, JsonObject>>();
  const waiting: { readonly schema: JsonValue; readonly around: JsonObject }[] = [
    { schema: root, around: root },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { schema } = next;
    if (!isJsonObject(schema)) continue;
    const resource = resourceOf(schema, next.around);
    for (const name of anchorsOf(schema)) {
      const known = anchors.get(resource) ?? new Map<string, JsonObject>();
      anchors.set(resource, known);
      // The first of two anchors of one name would be a guess: neither is found.
      known.set(name, known.has(name) ? twice : schema);
    }
    for (const child of subschemas(schema)) waiting.push({ schema: child, around: resource });
  }
  return {
    resourceOf,
    find(reference, from) {
      if (!reference.startsWith('#')) return 'remote';
      const fragment = decodeFragment(reference.slice(1));
      if (fragment === undefined) return undefined;
      if (fragment === '' || fragment.startsWith('/')) return followPointer(fragment, from);
      const schema = anchors.get(from)?.get(fragment);
      return schema === undefined || schema === twice ? undefined : { schema, resource: from };
    },
  };
}

const twice: JsonObject = Object.freeze({});

function resourceOf(schema: JsonObject, around: JsonObject): JsonObject {
  const { $id } = schema;
  return typeof $id === 'string' && !$id.startsWith('#') ? schema : around;
}

function anchorsOf(schema: JsonObject): readonly string[] {
  const { $anchor, $dynamicAnchor, $id } = schema;
  const legacy = typeof $id === 'string' && $id.startsWith('#') ? $id.slice(1) : undefined;
  return [$anchor, $dynamicAnchor, legacy].filter((name) => typeof name === 'string');
}

function* subschemas(schema: JsonObject): Generator<JsonValue> {
  for (const keyword of one) if (schema[keyword] !== undefined) yield schema[keyword]!;
  for (const keyword of lists) {
    const list = schema[keyword];
    if (Array.isArray(list)) yield* list as readonly JsonValue[];
  }
  for (const keyword of maps) {
    const map = schema[keyword];
    if (isJsonObject(map)) yield* Object.values(map) as readonly JsonValue[];
  }
}

function decodeFragment(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function followPointer(pointer: string, from: JsonObject): Found | undefined {
  let at: JsonValue | undefined = from;
  let resource = from;
  const steps = pointer.split('/').slice(1);
  for (const step of steps) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at))
      at = /^(?:0|[1-9]\d{0,5})$/.test(name) ? (at as readonly JsonValue[])[Number(name)] : undefined;
    else if (isJsonObject(at)) at = at[name];
    else return undefined;
    if (at === undefined) return undefined;
    if (isJsonObject(at)) resource = resourceOf(at, resource);
  }
  return { schema: at, resource };
}
