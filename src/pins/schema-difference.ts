import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { canonicalJson } from './canonical.ts';
import {
  brief,
  changeOf,
  type Difference,
  join,
  keysOf,
  same,
  valueDifferences,
} from './value-difference.ts';
import { visible } from './visible.ts';

/** Keywords whose value maps names to schemas, and what such a name is called. */
const namedSchemas: ReadonlyMap<string, string> = new Map([
  ['properties', 'property'],
  ['patternProperties', 'pattern property'],
  ['$defs', 'definition'],
  ['definitions', 'definition'],
  ['dependentSchemas', 'dependent schema'],
]);

/** Keywords whose value is a schema. */
const singleSchemas: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'additionalItems',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
]);

/** Bounds, and which way a larger number moves them. */
const bounds: ReadonlyMap<string, 'widens' | 'narrows'> = new Map([
  ['maximum', 'widens'],
  ['exclusiveMaximum', 'widens'],
  ['maxLength', 'widens'],
  ['maxItems', 'widens'],
  ['maxProperties', 'widens'],
  ['minimum', 'narrows'],
  ['exclusiveMinimum', 'narrows'],
  ['minLength', 'narrows'],
  ['minItems', 'narrows'],
  ['minProperties', 'narrows'],
]);

/**
 * What differs between two JSON Schemas, in words about what a caller may send: properties, types, required members,
 * choices, bounds. What has no such meaning is compared as the value that it is.
 */
export function schemaDifferences(
  path: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): readonly Difference[] {
  if (same(before, after)) return [];
  if (!isJsonObject(before as JsonValue) || !isJsonObject(after as JsonValue)) {
    if (typeof before === 'boolean' && typeof after === 'boolean') {
      return [one(path, after ? 'widened' : 'narrowed', before, after)];
    }
    return valueDifferences(path, before, after);
  }
  const [old, now] = [before as JsonObject, after as JsonObject];
  return keysOf(old, now).flatMap((key) => keywordDifferences(path, key, own(old, key), own(now, key)));
}

function keywordDifferences(
  path: string,
  key: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): readonly Difference[] {
  if (same(old, now)) return [];
  const at = join(path, key);
  const named = namedSchemas.get(key);
  if (named !== undefined && isMapping(old) && isMapping(now))
    return namedDifferences(at, named, old ?? {}, now ?? {});
  if (singleSchemas.has(key)) return schemaDifferences(at, old, now);
  const bound = bounds.get(key);
  if (bound !== undefined) return [one(at, boundChange(bound, old, now), old, now)];
  switch (key) {
    case 'type':
      return [one(at, typeChange(old, now), old, now)];
    case 'required':
      return requiredDifferences(path, old, now);
    case 'enum':
      return [one(at, setChange('enum', old, now), old, now)];
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
    case 'prefixItems':
      return branchDifferences(at, old, now);
    default:
      return valueDifferences(at, old, now);
  }
}

function namedDifferences(
  path: string,
  what: string,
  old: JsonObject,
  now: JsonObject,
): readonly Difference[] {
  return keysOf(old, now).flatMap((key) => {
    const before = own(old, key);
    const after = own(now, key);
    if (before !== undefined && after !== undefined) return schemaDifferences(join(path, key), before, after);
    const change = `${what} ${changeOf(before, after)}`;
    return [{ path: join(path, key), change, details: [brief(before ?? after)] }];
  });
}

function branchDifferences(
  path: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): readonly Difference[] {
  if (Array.isArray(old) && Array.isArray(now) && old.length === now.length) {
    return old.flatMap((branch: JsonValue, index) =>
      schemaDifferences(`${path}[${index}]`, branch, (now as readonly JsonValue[])[index]),
    );
  }
  return [one(path, changeOf(old, now), old, now)];
}

function requiredDifferences(
  path: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): readonly Difference[] {
  const before = texts(old);
  const after = texts(now);
  if (before === undefined || after === undefined) return valueDifferences(join(path, 'required'), old, now);
  const at = join(path, 'required');
  const changes = [
    ...[...after].filter((name) => !before.has(name)).map((name) => ['required added', name] as const),
    ...[...before].filter((name) => !after.has(name)).map((name) => ['required removed', name] as const),
  ];
  // The same names in another order, or one of them twice: no caller is held to anything else.
  if (changes.length === 0) return [one(at, 'reordered', old, now)];
  return changes.map(([change, name]) => ({ path: at, change, details: [visible(name, 100)] }));
}

function texts(value: JsonValue | undefined): ReadonlySet<string> | undefined {
  if (value === undefined) return new Set();
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return new Set(value as readonly string[]);
}

/** `integer` is a kind of `number`; no `type` at all allows every type. */
function typeChange(old: JsonValue | undefined, now: JsonValue | undefined): string {
  const before = types(old);
  const after = types(now);
  if (before === undefined || after === undefined) return 'type changed';
  const wider = covers(after, before);
  const narrower = covers(before, after);
  if (wider && narrower) return 'type changed';
  return wider ? 'type widened' : narrower ? 'type narrowed' : 'type changed';
}

const everyType = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];

function types(value: JsonValue | undefined): ReadonlySet<string> | undefined {
  if (value === undefined) return new Set(everyType);
  return typeof value === 'string' ? new Set([value]) : texts(value);
}

function covers(wide: ReadonlySet<string>, narrow: ReadonlySet<string>): boolean {
  return [...narrow].every((type) => wide.has(type) || (type === 'integer' && wide.has('number')));
}

/** No `enum` at all allows every value. */
function setChange(what: string, old: JsonValue | undefined, now: JsonValue | undefined): string {
  if (old === undefined) return `${what} added`;
  if (now === undefined) return `${what} removed`;
  if (!Array.isArray(old) || !Array.isArray(now)) return `${what} changed`;
  const before = new Set((old as readonly JsonValue[]).map(canonicalJson));
  const after = new Set((now as readonly JsonValue[]).map(canonicalJson));
  const extended = [...before].every((item) => after.has(item));
  const reduced = [...after].every((item) => before.has(item));
  if (extended && reduced) return `${what} reordered`;
  return extended ? `${what} extended` : reduced ? `${what} reduced` : `${what} changed`;
}

function boundChange(
  larger: 'widens' | 'narrows',
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): string {
  if (old === undefined) return 'bound added';
  if (now === undefined) return 'bound removed';
  if (typeof old !== 'number' || typeof now !== 'number') return 'bound changed';
  return now > old === (larger === 'widens') ? 'bound widened' : 'bound narrowed';
}

function one(
  path: string,
  change: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): Difference {
  return { path, change, details: [`${brief(old)} -> ${brief(now)}`] };
}

function isMapping(value: JsonValue | undefined): value is JsonObject | undefined {
  return value === undefined || isJsonObject(value);
}
