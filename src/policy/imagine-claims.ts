import type { JsonValue } from '../values/json.ts';
import { claimPath } from './conditions/claims.ts';
import type { ClaimTest } from './conditions/options.ts';

/** Claims of one caller. */
export type ImaginedClaims = Readonly<Record<string, unknown>>;

/** Combinations of the values of several claims: beyond these, the values of each are told apart, but not together. */
const mostCombined = 64;

/**
 * Claims that satisfy what a binding asks for, one set for each combination of the values that it names. Where it asks
 * by operators, one value that would do is tried; {@link isPlainTest} says where that cannot tell two bindings apart.
 */
export function imagineClaims(
  tests: Readonly<Record<string, ClaimTest>>,
  filler: string,
): readonly ImaginedClaims[] {
  const wanted = Object.entries(tests).flatMap(([name, test]) => {
    const steps = keysOf(name);
    const values = valuesOf(test, filler);
    return steps === undefined || values.length === 0 ? [] : [{ steps, values }];
  });
  const product = wanted.reduce((size, { values }) => size * values.length, 1);
  let sets: readonly (readonly number[])[] = [[]];
  if (product <= mostCombined) {
    for (const { values } of wanted) sets = sets.flatMap((set) => values.map((_, index) => [...set, index]));
  } else {
    sets = wanted.flatMap(({ values }, at) =>
      values.map((_, index) => wanted.map((_one, other) => (other === at ? index : 0))),
    );
  }
  return sets.map((set) => {
    const claims = new Map<string, unknown>();
    for (const [at, index] of set.entries()) {
      const { steps, values } = wanted[at]!;
      put(claims, steps, values[index]);
    }
    return toObject(claims);
  });
}

/** Whether a test names its values, so that imagining each of them asks all that it can. */
export function isPlainTest(name: string, test: ClaimTest): boolean {
  return keysOf(name) !== undefined && (typeof test !== 'object' || test === null || Array.isArray(test));
}

/** Undefined where the claim is not simply a member of a member. */
function keysOf(name: string): readonly string[] | undefined {
  const steps = claimPath(name)?.map((step) => (step.kind === 'key' ? step.name : undefined));
  return steps === undefined || steps.includes(undefined) ? undefined : (steps as readonly string[]);
}

function valuesOf(test: ClaimTest, filler: string): readonly JsonValue[] {
  if (Array.isArray(test)) return test;
  if (typeof test !== 'object' || test === null) return [test];
  if (test.oneOf !== undefined) return test.oneOf;
  if (test.equals !== undefined) return [test.equals];
  if (test.contains !== undefined) return [[test.contains]];
  if (test.prefix !== undefined) return [`${test.prefix}${filler}`];
  const number = test.min ?? test.max;
  if (number !== undefined) return [number];
  if (test.minLength !== undefined) return ['x'.repeat(Math.min(test.minLength, 1000))];
  return test.present === true || test.maxLength !== undefined ? [filler.slice(0, test.maxLength)] : [];
}

/** Maps as long as it is built: a claim may be called `__proto__`. */
function put(claims: Map<string, unknown>, steps: readonly string[], value: unknown): void {
  let at = claims;
  for (const step of steps.slice(0, -1)) {
    const next = at.get(step);
    const below = next instanceof Map ? (next as Map<string, unknown>) : new Map<string, unknown>();
    at.set(step, below);
    at = below;
  }
  at.set(steps.at(-1)!, value);
}

function toObject(claims: ReadonlyMap<string, unknown>): ImaginedClaims {
  return Object.fromEntries(
    [...claims].map(([key, value]) => [key, value instanceof Map ? toObject(value) : value]),
  );
}
