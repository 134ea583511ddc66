import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';
import type { Rewrite, SecretPlaces } from './rule.ts';
import { formatTrail, type Trail } from './trail.ts';
import type { ArgumentEntry, ArgumentNode } from './tree.ts';
import { valueHash } from './value-hash.ts';

/** As many as an exchange keeps findings: hashes that nobody will read are not worth their cost. */
const mostHashes = 32;

/** Elements of a list between two places to stop. */
const elementsPerStep = 64;

/** What was rewritten so far. */
export interface RewriteLog {
  readonly rule: string;
  readonly rewrites: Rewrite[];
  /** Only what is there is rewritten: nothing is filled in. */
  readonly partial: boolean;
  readonly isSecret: SecretPlaces;
}

/**
 * Does what the rule names rewrites for: what stands outside before what stands inside it. With places to stop.
 *
 * @returns the same object where nothing changed
 */
export function* rewriteTree(root: ArgumentNode, args: JsonObject, log: RewriteLog): Steps<JsonObject> {
  return root.rewrites ? yield* rewriteMembers(root, args, [], log) : args;
}

function* rewriteNode(
  node: ArgumentNode,
  given: JsonValue | undefined,
  trail: Trail,
  log: RewriteLog,
): Steps<JsonValue | undefined> {
  if (!node.rewrites) return given;
  const value = node.entry === undefined ? given : yield* rewriteEntry(node.entry, given, trail, log);
  if (node.keys.size > 0) {
    if (isJsonObject(value)) return yield* rewriteMembers(node, value, trail, log);
    if (value !== undefined || !node.fills || log.partial) return value;
    const made = yield* rewriteMembers(node, {}, trail, log);
    return Object.keys(made).length === 0 ? undefined : made;
  }
  return Array.isArray(value)
    ? yield* rewriteElements(node, value as readonly JsonValue[], trail, log)
    : value;
}

function* rewriteEntry(
  { rewrites }: ArgumentEntry,
  given: JsonValue | undefined,
  trail: Trail,
  log: RewriteLog,
): Steps<JsonValue | undefined> {
  let value = given;
  for (const { rewrite, apply } of rewrites) {
    const before = value;
    if (before === undefined && log.partial) break;
    value = yield* apply(before);
    if (value === before) continue;
    // A hash of a secret, or of what holds one, would be a secret to guess from.
    const hash = log.rewrites.length < mostHashes && !log.isSecret(trail);
    log.rewrites.push(rewriteOf(log.rule, formatTrail(trail), rewrite, hash, before, value));
  }
  return value;
}

/** Hashes are made when they are read: those of a text of some megabytes take their time, and many are never read. */
function rewriteOf(
  rule: string,
  path: string,
  rewrite: Rewrite['rewrite'],
  hash: boolean,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): Rewrite {
  return {
    rule,
    path,
    rewrite,
    get before() {
      return hash && before !== undefined ? valueHash(before) : undefined;
    },
    get after() {
      return hash && after !== undefined ? valueHash(after) : undefined;
    },
  };
}

function* rewriteMembers(
  node: ArgumentNode,
  given: JsonObject,
  trail: Trail,
  log: RewriteLog,
): Steps<JsonObject> {
  let copy: Record<string, JsonValue | undefined> | undefined;
  for (const [name, child] of node.keys) {
    if (!child.rewrites) continue;
    const before = own(given, name);
    trail.push(name);
    const after = yield* rewriteNode(child, before, trail, log);
    trail.pop();
    if (after === before) continue;
    copy ??= { ...given };
    if (after === undefined) delete copy[name];
    else copy[name] = after;
  }
  return (copy as JsonObject | undefined) ?? given;
}

function* rewriteElements(
  { each, indexes }: ArgumentNode,
  given: readonly JsonValue[],
  trail: Trail,
  log: RewriteLog,
): Steps<readonly JsonValue[]> {
  let copy: JsonValue[] | undefined;
  function* change(child: ArgumentNode, index: number): Steps<void> {
    const before = (copy ?? given)[index]!;
    trail.push(index);
    const after = yield* rewriteNode(child, before, trail, log);
    trail.pop();
    // Elements are never dropped: a rewrite that could needs a name to drop.
    if (after === before || after === undefined) return;
    copy ??= [...given];
    copy[index] = after;
  }
  if (each?.rewrites) {
    for (let index = 0; index < given.length; index++) {
      yield* change(each, index);
      if (index % elementsPerStep === elementsPerStep - 1) yield;
    }
  }
  for (const [index, child] of indexes)
    if (child.rewrites && index < given.length) yield* change(child, index);
  return copy ?? given;
}
