import type { JsonValue } from '../values/json.ts';
import type { Node } from './node.ts';
import { type Evaluated, mergeEvaluated, nothingEvaluated, type Run } from './run.ts';
import { requireList, type Site } from './site.ts';

function branches(site: Site, keyword: string, value: JsonValue): readonly Node[] {
  const list = requireList(site, keyword, value);
  if (list.length === 0) return site.fail('keyword-invalid', keyword);
  return list.map((schema, index) => site.inPlace(schema, keyword, String(index)));
}

export function compileAllOf(site: Site, value: JsonValue): void {
  for (const node of branches(site, 'allOf', value)) {
    site.node.checks.push((given, run, seen) => node.test(given, run, seen));
  }
}

/** One alternative: what it looked at counts only where it holds. */
function holds(node: Node, value: JsonValue, run: Run, seen: Evaluated | undefined): boolean {
  if (seen === undefined) return run.attempt(() => node.test(value, run, undefined));
  const own = nothingEvaluated();
  if (!run.attempt(() => node.test(value, run, own))) return false;
  mergeEvaluated(seen, own);
  if (node.namesObject && !node.declaresAnywhere) seen.free = true;
  return true;
}

export function compileAnyOf(site: Site, value: JsonValue): void {
  const nodes = branches(site, 'anyOf', value);
  site.node.checks.push((given, run, seen) => {
    const { unknown } = run;
    let any = false;
    for (const node of nodes) {
      if (!holds(node, given, run, seen)) continue;
      any = true;
      // All that hold count for what was looked at; else one is enough.
      if (seen === undefined) break;
    }
    if (!any) return run.fail('anyOf');
    run.unknown = unknown;
    return true;
  });
}

export function compileOneOf(site: Site, value: JsonValue): void {
  const nodes = branches(site, 'oneOf', value);
  site.node.checks.push((given, run, seen) => {
    const { unknown } = run;
    let count = 0;
    let known = 0;
    for (const node of nodes) {
      // One that holds but for a name that it does not know still counts: the server will see that it holds.
      if (run.named !== undefined && run.ask(() => node.test(given, run, undefined))) count += 1;
      if (holds(node, given, run, seen)) known += 1;
    }
    if (known !== 1 || (run.named !== undefined && count !== 1)) return run.fail('oneOf');
    run.unknown = unknown;
    return true;
  });
}

export function compileNot(site: Site, value: JsonValue): void {
  const node = site.inPlace(value, 'not');
  site.node.checks.push((given, run) => !run.ask(() => node.test(given, run, undefined)) || run.fail('not'));
}

export function compileIf(site: Site): void {
  const { if: condition, then, else: otherwise } = site.schema;
  if (condition === undefined) return;
  const node = site.inPlace(condition, 'if');
  const yes = then === undefined ? undefined : site.inPlace(then, 'then');
  const no = otherwise === undefined ? undefined : site.inPlace(otherwise, 'else');
  site.node.checks.push((given, run, seen) => {
    const own = seen === undefined ? undefined : nothingEvaluated();
    const met = run.ask(() => node.test(given, run, own));
    if (met && own !== undefined) mergeEvaluated(seen!, own);
    const branch = met ? yes : no;
    if (branch === undefined) return true;
    if (!branch.test(given, run, seen)) return false;
    if (seen !== undefined && branch.namesObject && !branch.declaresAnywhere) seen.free = true;
    return true;
  });
}

export function compileRef(site: Site, value: JsonValue): void {
  const node = site.target(value);
  site.node.checks.push((given, run, seen) => node.test(given, run, seen));
}
