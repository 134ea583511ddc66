import { isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import type { Node } from './node.ts';
import type { LinearPattern } from './pattern.ts';
import type { Evaluated, Run } from './run.ts';
import { patternCost } from './scalar-keywords.ts';
import { requireCount, requireNames, requireObject, type Site } from './site.ts';

/** `properties`, `patternProperties` and `additionalProperties`: one walk over the members that a value has. */
export function compileProperties(site: Site): void {
  const { properties, patternProperties, additionalProperties } = site.schema;
  if (properties === undefined && patternProperties === undefined && additionalProperties === undefined)
    return;
  const named = new Map<string, Node>();
  for (const [name, schema] of Object.entries(requireObject(site, 'properties', properties ?? {}))) {
    named.set(name, site.child(schema!, 'properties', name));
  }
  const patterns: { readonly pattern: LinearPattern; readonly node: Node }[] = [];
  const byPattern = requireObject(site, 'patternProperties', patternProperties ?? {});
  for (const [text, schema] of Object.entries(byPattern)) {
    const pattern = site.pattern(text, 'patternProperties', text);
    patterns.push({ pattern, node: site.child(schema!, 'patternProperties', text) });
  }
  const rest =
    additionalProperties === undefined ? undefined : site.child(additionalProperties, 'additionalProperties');
  site.node.members = { named, patterns, rest };

  site.node.checks.push((value, run, seen) => {
    if (!isJsonObject(value)) return true;
    for (const name of Object.keys(value)) {
      const member = value[name];
      if (member === undefined) continue;
      let isNamed = false;
      const node = named.get(name);
      if (node !== undefined) {
        isNamed = true;
        if (!judgeMember(node, name, member, run)) return false;
      }
      for (const { pattern, node: matching } of patterns) {
        run.charge(patternCost(name, pattern.size));
        if (!pattern.test(name)) continue;
        isNamed = true;
        if (!judgeMember(matching, name, member, run)) return false;
      }
      if (isNamed) seen?.names.add(name);
      else if (rest !== undefined && !judgeRest(rest, name, member, run, 'additionalProperties'))
        return false;
    }
    if (rest !== undefined && seen !== undefined) noteRest(rest, seen);
    return true;
  });
}

/** A subschema that constrains nothing names nothing: it only lets be. */
function noteRest(rest: Node, seen: Evaluated): void {
  if (rest.checks.length === 0) seen.open = true;
  else seen.rest = true;
}

function judgeMember(node: Node, name: string, member: JsonValue, run: Run): boolean {
  run.enter(name);
  const fits = node.enter(member, run);
  run.leave();
  return fits;
}

/** Where nothing at all may be left over, the keyword is what refuses, not the subschema `false`. */
function judgeRest(rest: Node, name: string, member: JsonValue, run: Run, keyword: string): boolean {
  return rest.isFalse ? run.fail(keyword, name) : judgeMember(rest, name, member, run);
}

export function compileUnevaluatedProperties(site: Site, value: JsonValue): void {
  const rest = site.child(value, 'unevaluatedProperties');
  site.node.asksForRest = true;
  site.node.checks.push((given, run, seen) => {
    if (!isJsonObject(given) || seen === undefined) return true;
    if (seen.rest || seen.open) return true;
    for (const name of Object.keys(given)) {
      const member = given[name];
      if (member === undefined || seen.names.has(name)) continue;
      if (!judgeRest(rest, name, member, run, 'unevaluatedProperties')) return false;
    }
    noteRest(rest, seen);
    return true;
  });
}

export function compileRequired(site: Site, value: JsonValue): void {
  const names = requireNames(site, 'required', value);
  if (names.length === 0) return;
  site.node.weight += Math.floor(names.length / 8);
  site.node.checks.push((given, run) => {
    if (!isJsonObject(given)) return true;
    for (const name of names) if (!has(given, name)) return run.fail('required', name);
    return true;
  });
}

/** By own keys only: every object has a `constructor` that nobody sent. */
function has(object: JsonObject, name: string): boolean {
  return Object.hasOwn(object, name) && object[name] !== undefined;
}

export function compileDependentRequired(site: Site, keyword: string, value: JsonValue): void {
  for (const [name, list] of Object.entries(requireObject(site, keyword, value))) {
    const names = requireNames(site, keyword, list!);
    site.node.weight += 1;
    site.node.checks.push((given, run) => {
      if (!isJsonObject(given) || !has(given, name)) return true;
      for (const needed of names) if (!has(given, needed)) return run.fail(keyword, needed);
      return true;
    });
  }
}

export function compileDependentSchemas(site: Site, keyword: string, value: JsonValue): void {
  for (const [name, schema] of Object.entries(requireObject(site, keyword, value))) {
    const node = site.inPlace(schema!, keyword, name);
    site.node.weight += 1;
    site.node.checks.push(
      (given, run, seen) => !isJsonObject(given) || !has(given, name) || node.test(given, run, seen),
    );
  }
}

/** Draft-07: a list of names or a subschema, by name. */
export function compileDependencies(site: Site, value: JsonValue): void {
  for (const [name, entry] of Object.entries(requireObject(site, 'dependencies', value))) {
    const compile = Array.isArray(entry) ? compileDependentRequired : compileDependentSchemas;
    compile(site, 'dependencies', { [name]: entry });
  }
}

export function compilePropertyNames(site: Site, value: JsonValue): void {
  const node = site.child(value, 'propertyNames');
  site.node.checks.push((given, run) => {
    if (!isJsonObject(given)) return true;
    for (const name of Object.keys(given)) {
      if (given[name] === undefined) continue;
      if (!run.attempt(() => node.test(name, run, undefined))) return run.fail('propertyNames', name);
    }
    return true;
  });
}

export function compileMemberCount(
  site: Site,
  keyword: 'minProperties' | 'maxProperties',
  value: JsonValue,
): void {
  const bound = requireCount(site, keyword, value);
  site.node.checks.push((given, run) => {
    if (!isJsonObject(given)) return true;
    const count = Object.keys(given).filter((name) => given[name] !== undefined).length;
    run.charge(Math.ceil(count / 8));
    return (keyword === 'minProperties' ? count >= bound : count <= bound) || run.fail(keyword);
  });
}
