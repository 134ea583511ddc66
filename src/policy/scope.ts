import type { ResourceKind } from './access-request.ts';
import type { Scope, ScopeIndex } from './model.ts';
import { NameIndex } from './name-index.ts';
import { compilePattern, type NamePattern, type Separator } from './pattern.ts';

export const kinds: readonly ResourceKind[] = ['tool', 'resource', 'prompt', 'method'];

/** URIs have segments between slashes; `*` stays within one. Other names have none. */
const separators: Readonly<Record<ResourceKind, Separator>> = {
  tool: undefined,
  resource: '/',
  prompt: undefined,
  method: undefined,
};

const everything = compilePattern('*', undefined);

/** The targets of a rule as its author wrote them. */
export interface TargetTexts {
  readonly tools?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly prompts?: readonly string[] | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly upstreams?: readonly string[] | undefined;
}

/** @returns a scope with `names` undefined where no kind of target is given */
export function compileScope(texts: TargetTexts): Scope {
  const names = new Map<ResourceKind, readonly NamePattern[]>();
  const add = (kind: ResourceKind, list: readonly string[] | undefined) => {
    if (list !== undefined)
      names.set(
        kind,
        list.map((text) => compilePattern(text, separators[kind])),
      );
  };
  add('tool', texts.tools);
  add('resource', texts.resources);
  add('prompt', texts.prompts);
  add('method', texts.methods);
  return {
    upstreams: texts.upstreams?.map((text) => compilePattern(text, undefined)),
    names: names.size === 0 ? undefined : names,
  };
}

export function createScopeIndex<T>(): ScopeIndex<T> {
  return { exact: new Map(), patterned: new Map() };
}

export function addToScopeIndex<T>(index: ScopeIndex<T>, scope: Scope, item: T): void {
  const shelves = new Set<Map<ResourceKind, NameIndex<T>>>();
  for (const upstream of scope.upstreams ?? [everything]) {
    if (upstream.exact) shelves.add(getOrAdd(index.exact, upstream.text, () => new Map()));
    else shelves.add(index.patterned);
  }
  for (const shelf of shelves) {
    for (const kind of scope.names?.keys() ?? kinds) {
      const names = getOrAdd(shelf, kind, () => new NameIndex<T>());
      for (const pattern of scope.names?.get(kind) ?? [everything]) names.add(pattern, item);
    }
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

/**
 * Appends what may be about the target: the name matches for certain, the upstream is still to be checked with
 * {@link coversUpstream}. An item may come more than once.
 */
export function findInScope<T>(
  index: ScopeIndex<T>,
  upstream: string,
  kind: ResourceKind,
  name: string,
  found: T[],
  tally?: { patterns: number },
): void {
  index.exact.get(upstream)?.get(kind)?.find(name, found, tally);
  index.patterned.get(kind)?.find(name, found, tally);
}

export function coversUpstream(upstreams: readonly NamePattern[] | undefined, upstream: string): boolean {
  if (upstreams === undefined) return true;
  for (const pattern of upstreams) if (pattern.matches(upstream)) return true;
  return false;
}

export function coversName(scope: Scope, kind: ResourceKind, name: string): boolean {
  if (scope.names === undefined) return true;
  return scope.names.get(kind)?.some((pattern) => pattern.matches(name)) ?? false;
}
