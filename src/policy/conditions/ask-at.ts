import { isJsonObject } from '../../values/json.ts';
import { hasDisguisedSibling, type ValuePath } from '../../values/value-path.ts';
import { every, some, type Truth } from './truth.ts';

/** Stands for a value that is not there. */
export const missing: unique symbol = Symbol('missing');

/** Elements that `[*]` looks at. The decoder's own bound on lists is of this size; more cannot be evaluated. */
const mostElements = 100_000;

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
      if (!isJsonObject(value) || hasDisguisedSibling(value, step)) return 'unknown';
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
