import type { PathStep, ValuePath } from '../values/value-path.ts';
import type { RewriteStep } from './rewrites.ts';
import type { Role } from './role.ts';

/** What a rule says of one argument. */
export interface ArgumentEntry {
  readonly role: Role | undefined;
  readonly required: boolean;
  readonly forbidden: boolean;
  readonly nullable: boolean;
  /** In the order in which they are done. */
  readonly rewrites: readonly RewriteStep[];
  /** What the rewrites need the value to be, where no role says it. */
  readonly needs: 'text' | 'number' | undefined;
}

/** One place in the arguments, and all places below it that a rule names. */
export interface ArgumentNode {
  readonly entry: ArgumentEntry | undefined;
  readonly keys: ReadonlyMap<string, ArgumentNode>;
  /** What a lenient reader makes of a key -> the key that is named. */
  readonly folded: ReadonlyMap<string, string>;
  readonly each: ArgumentNode | undefined;
  readonly indexes: ReadonlyMap<number, ArgumentNode>;
  /** Here or below stands a rewrite. */
  readonly rewrites: boolean;
  /** Here, or below by names alone, a value is filled in where there is none. */
  readonly fills: boolean;
  /** Here, or below by names and numbers, something must be there. */
  readonly requires: boolean;
  /** Here or below stands a secret. */
  readonly secret: boolean;
}

interface Draft {
  entry: ArgumentEntry | undefined;
  readonly keys: Map<string, Draft>;
  readonly folded: Map<string, string>;
  each: Draft | undefined;
  readonly indexes: Map<number, Draft>;
}

/** @param entries what stands at which path; each path once */
export function buildTree(entries: Iterable<readonly [ValuePath, ArgumentEntry]>): ArgumentNode {
  const root = emptyDraft();
  for (const [path, entry] of entries) {
    let draft = root;
    for (const step of path) draft = childOf(draft, step);
    draft.entry = entry;
  }
  return finish(root);
}

function emptyDraft(): Draft {
  return { entry: undefined, keys: new Map(), folded: new Map(), each: undefined, indexes: new Map() };
}

function childOf(draft: Draft, step: PathStep): Draft {
  switch (step.kind) {
    case 'key': {
      draft.folded.set(step.folded, step.name);
      return getOrAdd(draft.keys, step.name);
    }
    case 'index':
      return getOrAdd(draft.indexes, step.index);
    case 'each': {
      draft.each ??= emptyDraft();
      return draft.each;
    }
  }
}

function getOrAdd<K>(drafts: Map<K, Draft>, key: K): Draft {
  const known = drafts.get(key);
  if (known !== undefined) return known;
  const added = emptyDraft();
  drafts.set(key, added);
  return added;
}

function finish(draft: Draft): ArgumentNode {
  const { entry } = draft;
  const keys = new Map([...draft.keys].map(([name, child]) => [name, finish(child)]));
  const indexes = new Map([...draft.indexes].map(([index, child]) => [index, finish(child)]));
  const each = draft.each === undefined ? undefined : finish(draft.each);
  const below = [...keys.values(), ...indexes.values(), ...(each === undefined ? [] : [each])];
  const byName = [...keys.values()];
  return {
    entry,
    keys,
    folded: draft.folded,
    each,
    indexes,
    rewrites: (entry?.rewrites.length ?? 0) > 0 || below.some(({ rewrites }) => rewrites),
    fills: entry?.rewrites.some(({ fills }) => fills) === true || byName.some(({ fills }) => fills),
    requires: entry?.required === true || [...byName, ...indexes.values()].some(({ requires }) => requires),
    secret: entry?.role?.secret === true || below.some(({ secret }) => secret),
  };
}
