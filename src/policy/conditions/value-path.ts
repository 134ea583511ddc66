import { foldKey } from './fold.ts';
import { every, some, type Truth } from './truth.ts';

export type PathStep =
  | { readonly kind: 'key'; readonly name: string; readonly folded: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' };

export type ValuePath = readonly PathStep[];

/** Stands for a value that is not there. */
export const missing: unique symbol = Symbol('missing');

/** Elements that `[*]` looks at. The decoder's own bound on lists is of this size; more cannot be evaluated. */
const mostElements = 100_000;

/**
 * Reads a path into JSON: `limit`, `options.depth`, `paths[0]`, `paths[*].name`, `["odd key"]`, each with or without
 * a leading `$.`.
 *
 * @returns undefined where the text is not a path
 */
export function parseValuePath(text: string): ValuePath | undefined {
  const steps: PathStep[] = [];
  let rest = text.startsWith('$.') ? text.slice(2) : /^\$(?=\[)/.test(text) ? text.slice(1) : text;
  if (rest === '' || text.length > 256) return undefined;
  while (rest !== '') {
    const match =
      /^\[(?:(\*)|(0|[1-9][0-9]{0,6})|("(?:[^"\\]|\\.)+"|'[^'\\]+'))\]/.exec(rest) ??
      (steps.length === 0 ? /^()()()([^.[\]"'*$\s]+)/ : /^()()()\.([^.[\]"'*$\s]+)/).exec(rest);
    if (match === null) return undefined;
    const [whole, each, index, quoted, plain] = match;
    if (each) steps.push({ kind: 'each' });
    else if (index) steps.push({ kind: 'index', index: Number(index) });
    else {
      const name = quoted ? unquote(quoted) : plain;
      if (name === undefined) return undefined;
      steps.push(keyStep(name));
    }
    rest = rest.slice(whole.length);
  }
  return steps[0]!.kind === 'key' ? steps : undefined;
}

/** The path of one member, whatever characters its name has. */
export function keyStep(name: string): PathStep {
  return { kind: 'key', name, folded: foldKey(name) };
}

function unquote(quoted: string): string | undefined {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/**
 * Follows a path and asks `leaf` about what is there, or about {@link missing}.
 *
 * Unknown where the way leads through a value of another kind, where a list under `[*]` is empty, and where an object
 * has a sibling key that folds to the named one: a server that reads keys leniently could take the sibling for it.
 *
 * @param quantifier what `[*]` asks for: that every element holds, or that any does
 */
export function askAt(
  root: unknown,
  path: ValuePath,
  quantifier: 'every' | 'some',
  leaf: (value: unknown) => Truth,
): Truth {
  const combine = quantifier === 'every' ? every : some;
  const follow = (value: unknown, depth: number): Truth => {
    const step = path[depth];
    if (step === undefined) return leaf(value);
    if (step.kind === 'key') {
      if (!isObject(value) || hasDisguisedSibling(value, step)) return 'unknown';
      return Object.hasOwn(value, step.name) ? follow(value[step.name], depth + 1) : leaf(missing);
    }
    if (!Array.isArray(value)) return 'unknown';
    if (step.kind === 'index') {
      return step.index < value.length ? follow(value[step.index], depth + 1) : leaf(missing);
    }
    if (value.length === 0 || value.length > mostElements) return 'unknown';
    return combine(value as readonly unknown[], (element) => follow(element, depth + 1));
  };
  return follow(root, 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** A number that a double cannot hold is kept by the decoder as `JSON.rawJSON`; it is not an object to look into. */
export function isExactNumber(value: object): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}

function hasDisguisedSibling(
  value: object,
  step: { readonly name: string; readonly folded: string },
): boolean {
  for (const key of Object.keys(value)) {
    if (key !== step.name && foldKey(key) === step.folded) return true;
  }
  return false;
}
