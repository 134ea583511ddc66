import type { ZodType } from 'zod';
import { suggestion } from './did-you-mean.ts';
import { type DocumentPath, formatPath } from './problems.ts';

export interface SchemaFault {
  readonly path: DocumentPath;
  /** Whether the fault is the member's name (an unknown key), not its value. */
  readonly atKey: boolean;
  /** Whether a refinement said it, not the shape itself. */
  readonly refined: boolean;
  readonly message: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] };

/** The parts of zod's issues that are read here; zod's own union is wider and changes with its minor versions. */
interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly issues?: readonly Issue[];
  readonly expected?: string;
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
}

/** Checks a value and says in plain words all that is wrong with it. Received values are never repeated. */
export function schemaFaults<T>(schema: ZodType<T>, value: unknown): Checked<T> {
  // zod tells an unknown key, not the known ones. Its raw issue still holds the schema that raised it, and the
  // finished issue keeps the same `keys` array, so that array leads from one to the other.
  const knownKeys = new WeakMap<object, readonly string[]>();
  const result = schema.safeParse(value, {
    error: (raw) => {
      const shape = (raw.inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
      if (raw.code === 'unrecognized_keys' && shape !== undefined) {
        knownKeys.set(raw.keys, Object.keys(shape));
      }
      return undefined;
    },
  });
  if (result.success) return { ok: true, value: result.data };
  const faults: SchemaFault[] = [];
  for (const issue of result.error.issues as readonly unknown[] as readonly Issue[]) {
    describe(issue, [], value, knownKeys, faults);
  }
  // What a refinement says of an object with a misspelt key is mostly that the key is missing.
  const misspelt = new Set(
    faults.filter(({ atKey }) => atKey).map(({ path }) => formatPath(path.slice(0, -1))),
  );
  return {
    ok: false,
    faults: faults.filter(({ atKey, refined, path }) => atKey || !refined || !misspelt.has(formatPath(path))),
  };
}

function describe(
  issue: Issue,
  base: DocumentPath,
  root: unknown,
  knownKeys: WeakMap<object, readonly string[]>,
  faults: SchemaFault[],
): void {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    const present = at(root, path);
    const known = (knownKeys.get(issue.keys) ?? []).filter(
      (key) => typeof present !== 'object' || present === null || !Object.hasOwn(present, key),
    );
    for (const key of issue.keys) {
      faults.push({
        path: [...path, key],
        atKey: true,
        refined: false,
        message: `unknown key${suggestion(key, known)}`,
      });
    }
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors !== undefined) {
    const strangers = sharedUnknownKeys(issue.errors);
    if (strangers.length > 0) {
      const known = issue.errors.flat().flatMap((inner) => knownKeys.get(inner.keys ?? []) ?? []);
      for (const key of strangers) {
        faults.push({
          path: [...path, key],
          atKey: true,
          refined: false,
          message: `unknown key${suggestion(key, known)}`,
        });
      }
      return;
    }
    const branch = saysItself(issue) ? undefined : likeliestBranch(issue.errors);
    if (branch !== undefined) {
      for (const inner of branch) describe(inner, path, root, knownKeys, faults);
      return;
    }
    const kinds = [...new Set(issue.errors.flat().map((inner) => kindName(inner.expected)))];
    if (issue.message === 'Invalid input') {
      const found = kindOf(at(root, path));
      faults.push({
        path,
        atKey: false,
        refined: false,
        message: `expected ${kinds.join(' or ')}, found ${found}`,
      });
      return;
    }
  }
  if (issue.code === 'invalid_key' && issue.issues !== undefined) {
    const why = issue.issues.map((inner) => inner.message).join('; ');
    faults.push({ path, atKey: true, refined: false, message: why });
    return;
  }
  faults.push({
    path,
    atKey: false,
    refined: issue.code === 'custom',
    message: wording(issue, at(root, path)),
  });
}

function wording(issue: Issue, value: unknown): string {
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return 'is missing';
  }
  if (issue.code === 'invalid_value' && issue.values !== undefined) {
    const words = issue.values.map(String);
    const choices = issue.values.map((word) => JSON.stringify(word)).join(', ');
    const expected = words.length === 1 ? `must be ${choices}` : `must be one of ${choices}`;
    return expected + (typeof value === 'string' ? suggestion(value, words) : '');
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `expected ${kindName(issue.expected)}, found ${kindOf(value)}`;
  }
  if (issue.message.startsWith('Too small:') && issue.minimum !== undefined) {
    const least = issue.inclusive === false ? 'more than' : 'at least';
    return boundWording(least, issue.minimum, issue.origin);
  }
  if (issue.message.startsWith('Too big:') && issue.maximum !== undefined) {
    const most = issue.inclusive === false ? 'less than' : 'at most';
    return boundWording(most, issue.maximum, issue.origin);
  }
  return issue.message;
}

const counted = new Map([
  ['string', { one: 'character', many: 'characters' }],
  ['array', { one: 'entry', many: 'entries' }],
  ['set', { one: 'entry', many: 'entries' }],
  ['map', { one: 'entry', many: 'entries' }],
]);

function boundWording(how: string, bound: number | bigint, origin: string | undefined): string {
  const what = counted.get(origin ?? '');
  if (what === undefined) return `must be ${how} ${bound}`;
  return `must have ${how} ${bound} ${what[bound === 1 ? 'one' : 'many']}`;
}

/** A union whose author wrote what it takes: better than what one alternative lacks, unless one almost fits. */
function saysItself(issue: Issue): boolean {
  const atTheValue =
    issue.errors?.every((branch) => branch.every((inner) => inner.path.length === 0)) === true;
  return issue.message !== 'Invalid input' && atTheValue;
}

/** Keys that no alternative of a union knows: then the key is wrong, whichever alternative was meant. */
function sharedUnknownKeys(branches: readonly (readonly Issue[])[]): readonly string[] {
  const perBranch = branches
    .filter((branch) => !branch.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'))
    .map((branch) =>
      branch.flatMap((issue) =>
        issue.code === 'unrecognized_keys' && issue.path.length === 0 ? (issue.keys ?? []) : [],
      ),
    );
  const [first, ...others] = perBranch;
  return (first ?? []).filter((key) => others.every((keys) => keys.includes(key)));
}

/**
 * Of a union's alternatives, the one that the author most likely meant: whose complaints lie deepest, and of those
 * the one with the fewest. A missing or unknown key counts for the object that should have or lack it.
 */
function likeliestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  let best: readonly Issue[] | undefined;
  let bestDepth = -1;
  for (const branch of branches) {
    if (branch.length === 0) continue;
    const depth = Math.min(...branch.map(depthOf));
    if (depth > bestDepth || (depth === bestDepth && branch.length < best!.length)) {
      best = branch;
      bestDepth = depth;
    }
  }
  // Where every alternative already fails at the value itself, the union's own message says more than one of them.
  const wrongKind = best?.every((issue) => issue.path.length === 0 && issue.code === 'invalid_type');
  return wrongKind && branches.length > 1 ? undefined : best;
}

function depthOf(issue: Issue): number {
  if (issue.code === 'unrecognized_keys') return issue.path.length + 0.5;
  if (issue.code === 'invalid_type' && issue.path.length > 0) return issue.path.length - 0.25;
  // A refinement is asked only of what has the shape: that alternative was meant.
  if (issue.code === 'custom') return issue.path.length + 0.25;
  return issue.path.length;
}

function at(root: unknown, path: DocumentPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

const kindNames = new Map([
  ['string', 'text'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['array', 'a list'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['null', 'nothing'],
]);

function kindName(expected: string | undefined): string {
  return expected === undefined ? 'something else' : (kindNames.get(expected) ?? expected);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return kindNames.get(typeof value) ?? typeof value;
}
