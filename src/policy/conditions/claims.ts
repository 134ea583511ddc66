import { keyStep, parseValuePath, type ValuePath } from '../../values/value-path.ts';
import type { AccessRequest } from '../access-request.ts';
import { askAt } from './ask-at.ts';
import type { Condition, RuleEffect } from './condition.ts';
import type { ClaimTest } from './options.ts';
import { every, some, type Truth, truthOf } from './truth.ts';
import { compileValueTest, type Scalar } from './value-test.ts';

type Claims = Readonly<Record<string, unknown>>;

/** A test of one set of claims: every claim named must hold. */
export interface ClaimsTest {
  test(claims: Claims): Truth;
  blame(claims: Claims): string;
}

/**
 * `claims: { groups: data, region: [eu, us], level: { min: 3 } }`. A bare value holds where the claim is that value or a
 * list that contains it; a list of values, where one of them does.
 */
export function compileClaims(tests: Readonly<Record<string, ClaimTest>>, effect: RuleEffect): ClaimsTest {
  const quantifier = effect === 'allow' ? 'every' : 'some';
  const parts = Object.entries(tests).map(([text, wanted]) => {
    const path = claimPath(text);
    if (path === undefined) throw new TypeError('the schema lets only valid paths through');
    const leaf = isOperators(wanted) ? compileValueTest(wanted).test : isOrContains([wanted].flat());
    return { name: text, test: (claims: Claims) => askAt(claims, path, quantifier, leaf) };
  });
  return {
    test: (claims) => every(parts, (part) => part.test(claims)),
    blame: (claims) => {
      const failed =
        parts.find((part) => part.test(claims) === 'false') ??
        parts.find((part) => part.test(claims) !== 'true');
      return failed?.name ?? parts[0]!.name;
    },
  };
}

/** The claims of the caller's one token. A caller with none, or with two that might disagree, cannot be judged by them. */
export function compileClaimsCondition(
  tests: Readonly<Record<string, ClaimTest>>,
  effect: RuleEffect,
): Condition {
  const compiled = compileClaims(tests, effect);
  return {
    test: (request) => {
      const claims = tokenClaims(request);
      return claims === undefined ? 'unknown' : compiled.test(claims);
    },
    blame: (request) => {
      const claims = tokenClaims(request);
      return claims === undefined ? 'claims' : `claims.${compiled.blame(claims)}`;
    },
  };
}

/** A claim named by a URL (`https://idp.example/groups`) is one name; every other claim is a path. */
export function claimPath(text: string): ValuePath | undefined {
  return /^https?:\/\//.test(text) ? [keyStep(text)] : parseValuePath(text);
}

function tokenClaims(request: AccessRequest): Claims | undefined {
  let claims: Claims | undefined;
  for (const credential of request.subject.credentials) {
    if (credential.kind !== 'token') continue;
    if (claims !== undefined) return undefined;
    claims = credential.claims;
  }
  return claims;
}

function isOperators(test: ClaimTest): test is Exclude<ClaimTest, Scalar | readonly Scalar[]> {
  return typeof test === 'object' && test !== null && !Array.isArray(test);
}

function isOrContains(wanted: readonly Scalar[]): (value: unknown) => Truth {
  const isWanted = (value: unknown): Truth => {
    if (typeof value === 'object' ? value !== null : typeof value === 'symbol') return 'unknown';
    return wanted.some((one) => one === null || typeof one === typeof value)
      ? truthOf(wanted.includes(value as Scalar))
      : 'unknown';
  };
  return (value) => (Array.isArray(value) ? some(value, isWanted) : isWanted(value));
}
