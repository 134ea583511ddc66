import { foldKey } from '../values/fold-key.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';
import { isNumber } from './exact-order.ts';
import type { Lookup, RoleFault } from './role.ts';
import { toFaults } from './roles/faults.ts';
import { formatTrail, type Trail } from './trail.ts';
import type { ArgumentEntry, ArgumentNode } from './tree.ts';

/** What is wrong, and where. */
export interface TreeFault extends RoleFault {
  readonly path: string;
  /** Role name, `rewrite`, `required`, `forbidden`, `shape` or `sibling`. */
  readonly role: string;
}

export interface TreeLookup {
  readonly path: string;
  readonly role: string;
  readonly lookup: Lookup;
}

const faults = toFaults({
  missing: 'send the argument, or take away `required`',
  present: 'leave the argument out, or take away `forbidden`',
  'not-an-object': 'send an object, or change the path in `args`',
  'not-a-list': 'send a list, or change the path in `args`',
  'same-but-for-spelling': 'send the argument under the very name that the policy gives',
  'not-text': 'send text, which is what the rewrite is for',
  'not-a-number': 'send a number, which is what the rewrite is for',
});

/**
 * Judges a value by all that a rule says of it and of what is inside. In the order of the policy file, lists from
 * first to last: one value has one fault. With places to stop.
 *
 * @param partial only what is there is judged: nothing is required
 * @param lookups takes what must still be asked of the machine
 */
export function judgeTree(
  root: ArgumentNode,
  args: JsonObject,
  partial: boolean,
  lookups: TreeLookup[],
): Steps<TreeFault | undefined> {
  return judgeMembers(root, args, { trail: [], partial, lookups, work: 0 });
}

/** Units of text between two places to stop, and what each value costs beside its text. */
const unitsPerStep = 8192;
const unitsPerValue = 128;

interface Walk {
  readonly trail: Trail;
  readonly partial: boolean;
  readonly lookups: TreeLookup[];
  /** What was judged since the last place to stop. */
  work: number;
}

function* judgeNode(
  node: ArgumentNode,
  value: JsonValue | undefined,
  walk: Walk,
): Steps<TreeFault | undefined> {
  if (value === undefined) return walk.partial ? undefined : findMissing(node, walk);
  const { entry } = node;
  if (entry !== undefined) {
    if (entry.forbidden) return faultAt(walk, 'forbidden', faults.present);
    if (value === null && entry.nullable) return undefined;
    const fault = yield* judgeEntry(entry, value, walk);
    if (fault !== undefined) return fault;
  }
  if (node.keys.size > 0) {
    return isJsonObject(value)
      ? yield* judgeMembers(node, value, walk)
      : faultAt(walk, 'shape', faults['not-an-object']);
  }
  if (node.each === undefined && node.indexes.size === 0) return undefined;
  return Array.isArray(value)
    ? yield* judgeElements(node, value as readonly JsonValue[], walk)
    : faultAt(walk, 'shape', faults['not-a-list']);
}

function* judgeEntry(
  { role, needs }: ArgumentEntry,
  value: JsonValue,
  walk: Walk,
): Steps<TreeFault | undefined> {
  if (role === undefined) {
    if (needs === 'text' && typeof value !== 'string') return faultAt(walk, 'rewrite', faults['not-text']);
    if (needs === 'number' && !isNumber(value)) return faultAt(walk, 'rewrite', faults['not-a-number']);
    return undefined;
  }
  walk.work += unitsPerValue + (typeof value === 'string' ? value.length : 0);
  if (walk.work >= unitsPerStep) {
    walk.work = 0;
    yield;
  }
  const fault = role.judgeSteps === undefined ? role.judge(value) : yield* role.judgeSteps(value);
  if (fault !== undefined) return faultAt(walk, role.name, fault);
  const lookup = role.lookup?.(value);
  if (lookup !== undefined) walk.lookups.push({ path: formatTrail(walk.trail), role: role.name, lookup });
  return undefined;
}

function* judgeMembers(node: ArgumentNode, value: JsonObject, walk: Walk): Steps<TreeFault | undefined> {
  for (const key of Object.keys(value)) {
    if (node.keys.has(key)) continue;
    const named = node.folded.get(foldKey(key));
    // A server that reads keys leniently would take it for the one that is judged here.
    if (named !== undefined) {
      walk.trail.push(named);
      return faultAt(walk, 'sibling', faults['same-but-for-spelling']);
    }
  }
  for (const [name, child] of node.keys) {
    walk.trail.push(name);
    const fault = yield* judgeNode(child, own(value, name), walk);
    if (fault !== undefined) return fault;
    walk.trail.pop();
  }
  return undefined;
}

function* judgeElements(
  { each, indexes }: ArgumentNode,
  value: readonly JsonValue[],
  walk: Walk,
): Steps<TreeFault | undefined> {
  if (each !== undefined) {
    for (let index = 0; index < value.length; index++) {
      walk.trail.push(index);
      const fault = yield* judgeNode(each, value[index]!, walk);
      if (fault !== undefined) return fault;
      walk.trail.pop();
    }
  }
  for (const [index, child] of indexes) {
    walk.trail.push(index);
    const fault = yield* judgeNode(child, value[index], walk);
    if (fault !== undefined) return fault;
    walk.trail.pop();
  }
  return undefined;
}

/** What must be there below something that is not. Each element of no list asks for nothing. */
function findMissing(node: ArgumentNode, walk: Walk): TreeFault | undefined {
  if (!node.requires) return undefined;
  if (node.entry?.required === true) return faultAt(walk, 'required', faults.missing);
  for (const [step, child] of [...node.keys, ...node.indexes]) {
    walk.trail.push(step);
    const fault = findMissing(child, walk);
    if (fault !== undefined) return fault;
    walk.trail.pop();
  }
  return undefined;
}

function faultAt(walk: Walk, role: string, { fault, allow }: RoleFault): TreeFault {
  return { path: formatTrail(walk.trail), role, fault, allow };
}
