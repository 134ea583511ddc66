import { type DocumentPath, formatPath, type Problem } from '../document/problems.ts';
import type { PolicyFile } from './policy-file.ts';
import type { ScopeHierarchy } from './required-scopes.ts';

/**
 * `implies:` of all files together, each scope with all that it implies. A circle is a problem at the place that closes
 * it: of scopes that imply each other one is a slip, and all of them would be worth as much as the greatest.
 */
export function compileHierarchy(files: readonly PolicyFile[], problems: Problem[]): ScopeHierarchy {
  const direct = new Map<
    string,
    { readonly scope: string; readonly file: PolicyFile; readonly at: number }[]
  >();
  for (const file of files) {
    for (const [name, implied] of Object.entries(file.document.implies)) {
      const edges = direct.get(name) ?? [];
      edges.push(...implied.map((scope, at) => ({ scope, file, at })));
      direct.set(name, edges);
    }
  }
  const closed = new Map<string, Set<string>>();
  const open: string[] = [];
  const close = (name: string): Set<string> => {
    const known = closed.get(name);
    if (known !== undefined) return known;
    const all = new Set<string>();
    open.push(name);
    for (const { scope, file, at } of direct.get(name) ?? []) {
      const circle = open.indexOf(scope);
      if (circle >= 0) {
        const path: DocumentPath = ['implies', name, at];
        const message = `scopes imply each other in a circle: ${[...open.slice(circle), scope].join(' -> ')}`;
        problems.push({ ...file.locate(path), path: formatPath(path), message });
        continue;
      }
      all.add(scope);
      for (const further of close(scope)) all.add(further);
    }
    open.pop();
    closed.set(name, all);
    return all;
  };
  for (const name of direct.keys()) close(name);
  return closed;
}
