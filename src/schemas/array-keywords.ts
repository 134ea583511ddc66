import type { JsonValue } from '../values/json.ts';
import { canonicalText } from './exact.ts';
import type { Node } from './node.ts';
import type { Run } from './run.ts';
import { requireCount, requireList, type Site } from './site.ts';

/** Entries from the start, each by a subschema of its own, and all that follow by one. */
export function compileItems(site: Site): void {
  const { items } = site.schema;
  const isTuple = site.dialect === 'draft-07' && Array.isArray(items);
  const startKeyword = isTuple ? 'items' : 'prefixItems';
  const start = isTuple ? items : site.dialect === 'draft-07' ? undefined : site.schema['prefixItems'];
  const restKeyword = isTuple ? 'additionalItems' : 'items';
  const rest = site.schema[restKeyword];
  if (start === undefined && rest === undefined) return;
  const first = requireList(site, startKeyword, start ?? []).map((schema, index) =>
    site.child(schema, startKeyword, String(index)),
  );
  const following = rest === undefined ? undefined : site.child(rest, restKeyword);
  site.node.checks.push((value, run, seen) => {
    if (!Array.isArray(value)) return true;
    const entries = value as readonly JsonValue[];
    const end = following === undefined ? Math.min(first.length, entries.length) : entries.length;
    for (let index = 0; index < end; index += 1) {
      const node = index < first.length ? first[index]! : following!;
      if (node.isFalse) return run.fail(index < first.length ? startKeyword : restKeyword);
      if (!judgeEntry(node, index, entries[index]!, run)) return false;
    }
    if (seen !== undefined) seen.items = Math.max(seen.items, end);
    return true;
  });
}

function judgeEntry(node: Node, index: number, entry: JsonValue, run: Run): boolean {
  run.enter(index);
  const fits = node.enter(entry, run);
  run.leave();
  return fits;
}

export function compileContains(site: Site): void {
  const { contains } = site.schema;
  if (contains === undefined) return;
  const node = site.child(contains, 'contains');
  const bound = (keyword: string): number | undefined => {
    const value = site.dialect === 'draft-07' ? undefined : site.schema[keyword];
    return value === undefined ? undefined : requireCount(site, keyword, value);
  };
  const least = bound('minContains') ?? 1;
  const most = bound('maxContains') ?? Number.POSITIVE_INFINITY;
  site.node.checks.push((value, run, seen) => {
    if (!Array.isArray(value)) return true;
    let count = 0;
    for (const [index, entry] of (value as readonly JsonValue[]).entries()) {
      if (!run.ask(() => node.test(entry, run, undefined))) continue;
      count += 1;
      seen?.found.add(index);
    }
    if (count < least) return run.fail(least === 1 ? 'contains' : 'minContains');
    return count <= most || run.fail('maxContains');
  });
}

export function compileUnevaluatedItems(site: Site, value: JsonValue): void {
  const node = site.child(value, 'unevaluatedItems');
  site.node.asksForRest = true;
  site.node.checks.push((given, run, seen) => {
    if (!Array.isArray(given) || seen === undefined) return true;
    const entries = given as readonly JsonValue[];
    for (let index = seen.items; index < entries.length; index += 1) {
      if (seen.found.has(index)) continue;
      if (node.isFalse) return run.fail('unevaluatedItems');
      if (!judgeEntry(node, index, entries[index]!, run)) return false;
    }
    seen.items = entries.length;
    return true;
  });
}

/** By their canonical texts: comparing each with each would cost the square of their number. */
export function compileUniqueItems(site: Site, value: JsonValue): void {
  if (typeof value !== 'boolean') site.fail('keyword-invalid', 'uniqueItems');
  if (!value) return;
  site.node.checks.push((given, run) => {
    if (!Array.isArray(given)) return true;
    const texts = new Set<string>();
    for (const entry of given as readonly JsonValue[]) {
      const text = canonicalText(entry);
      run.charge(1 + Math.ceil(text.length / 64));
      if (texts.has(text)) return run.fail('uniqueItems');
      texts.add(text);
    }
    return true;
  });
}

export function compileEntryCount(site: Site, keyword: 'minItems' | 'maxItems', value: JsonValue): void {
  const bound = requireCount(site, keyword, value);
  site.node.checks.push((given, run) => {
    if (!Array.isArray(given)) return true;
    return (keyword === 'minItems' ? given.length >= bound : given.length <= bound) || run.fail(keyword);
  });
}
