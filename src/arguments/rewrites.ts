import { composeInSteps } from '../values/compose-in-steps.ts';
import { isExactNumber, type JsonValue } from '../values/json.ts';
import { hasManyMarks } from '../values/normal-form.ts';
import type { Steps } from '../values/steps.ts';
import { type AnyNumber, isGreater, isNumber } from './exact-order.ts';
import { normalizePath } from './normalize-path.ts';
import type { Rewrite } from './rule.ts';
import { createUnwantedStrip, type UnwantedKind } from './unwanted.ts';
import { canonicalText } from './value-hash.ts';

/** The rewrites of one argument, as its specification names them. */
export interface RewriteDocument {
  readonly drop?: true | undefined;
  readonly set?: JsonValue | undefined;
  readonly default?: JsonValue | undefined;
  readonly strip?: readonly StripKind[] | undefined;
  readonly normalize?: readonly NormalizeKind[] | undefined;
  readonly clamp?: { readonly min?: AnyNumber | undefined; readonly max?: AnyNumber | undefined } | undefined;
}

export const stripKinds = ['control', 'bidi', 'invisible', 'ansi'] as const;
export type StripKind = (typeof stripKinds)[number];

export const normalizeKinds = ['nfc', 'path', 'trim'] as const;
export type NormalizeKind = (typeof normalizeKinds)[number];

/** One rewrite. Total and idempotent; a value of a kind that it does not speak of is left to be refused. */
export interface RewriteStep {
  readonly rewrite: Rewrite['rewrite'];
  /** Gives a value where there is none. */
  readonly fills: boolean;
  /** @param value undefined where there is no value; so is the result where there is to be none */
  apply(value: JsonValue | undefined): Steps<JsonValue | undefined>;
}

/** The one order in which rewrites are done, whatever the order in which they are written. */
export function compileRewrites(document: RewriteDocument): readonly RewriteStep[] {
  const steps: RewriteStep[] = [];
  const { strip, normalize, clamp } = document;
  if (document.drop === true)
    steps.push(
      step(
        'drop',
        atOnce(() => undefined),
      ),
    );
  if (document.set !== undefined) steps.push(settle(document.set));
  if (document.default !== undefined) {
    const { default: given } = document;
    steps.push({
      rewrite: 'default',
      fills: true,
      apply: atOnce((value) => (value === undefined ? given : value)),
    });
  }
  if (strip !== undefined) steps.push(step('strip', onText(stripper(strip))));
  if (normalize !== undefined) steps.push(step('normalize', onText(normalizer(normalize))));
  if (clamp !== undefined) {
    const { min, max } = clamp;
    steps.push(
      step(
        'clamp',
        atOnce((value) => {
          if (!isNumber(value)) return value;
          if (min !== undefined && isGreater(min, value)) return min;
          return max !== undefined && isGreater(value, max) ? max : value;
        }),
      ),
    );
  }
  return steps;
}

function step(rewrite: RewriteStep['rewrite'], apply: RewriteStep['apply']): RewriteStep {
  return { rewrite, fills: false, apply };
}

/** A value that says the same is left as it is: nothing was rewritten then. */
function settle(given: JsonValue): RewriteStep {
  const text = canonicalText(given);
  return {
    rewrite: 'set',
    fills: true,
    apply: atOnce((value) => (value !== undefined && isSame(value, given, text) ? value : given)),
  };
}

function isSame(value: JsonValue, given: JsonValue, text: string): boolean {
  if (value === given) return true;
  const isScalar = typeof value !== 'object' || value === null;
  return !(isScalar && !isExactNumber(given)) && canonicalText(value) === text;
}

type Change = (value: JsonValue | undefined) => JsonValue | undefined;

function atOnce(change: Change): RewriteStep['apply'] {
  // biome-ignore lint/correctness/useYield: a step that needs no place to stop
  return function* (value) {
    return change(value);
  };
}

function onText(change: (text: string) => Steps<string>): RewriteStep['apply'] {
  return function* (value) {
    return typeof value === 'string' ? yield* change(value) : value;
  };
}

function stripper(kinds: readonly StripKind[]): (text: string) => Steps<string> {
  const unwanted = new Set(kinds.filter((kind): kind is UnwantedKind => kind !== 'ansi'));
  return createUnwantedStrip(unwanted, kinds.includes('ansi'));
}

function normalizer(kinds: readonly NormalizeKind[]): (text: string) => Steps<string> {
  const trim = kinds.includes('trim');
  const nfc = kinds.includes('nfc');
  const path = kinds.includes('path');
  return function* (text) {
    let result = trim ? text.trim() : text;
    // What no script writes is left as it is; a role that asks for normal form refuses it.
    if (nfc && !hasManyMarks(result)) result = yield* composeInSteps(result);
    return path ? yield* normalizePath(result) : result;
  };
}
