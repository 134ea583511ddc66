import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatProblem } from '../../src/document/problems.ts';
import type { Decision } from '../../src/policy/access-request.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import {
  policy as anyPolicy,
  request as anyRequest,
  type OracleRequest,
  toText,
} from './support/arbitrary-policy.ts';
import { type OraclePolicy, type Reading, toCedar } from './support/to-cedar.ts';

/**
 * Cedar decides the same questions from an independent translation of the same documents. Three readings of each
 * policy are compared: the effect, the effect with shadow rules enforced, and what may be seen.
 */

const policies = 370;
const requestsEach = 55;

it('decides as Cedar does', { timeout: 300_000 }, () => {
  const seen = new Map<string, number>();
  const count = (word: string) => seen.set(word, (seen.get(word) ?? 0) + 1);
  let decisions = 0;

  fc.assert(
    fc.property(
      anyPolicy,
      // The policy shrinks; the error names the one request that it disagrees on.
      fc.noShrink(fc.array(anyRequest, { minLength: requestsEach, maxLength: requestsEach })),
      (document, requests) => {
        const compiled = compilePolicy([{ file: 'oracle.yaml', text: toText(document) }]);
        if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'));
        for (const reading of ['enforced', 'shadow', 'visible'] as const) {
          const parsed = cedar.preparsePolicySet(reading, { staticPolicies: toCedar(document, reading) });
          if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed.errors));
        }
        const hasShadow = JSON.stringify(document).includes('"shadow"');
        for (const { request, context } of requests) {
          const decision = decide(request, compiled.policy);
          const effect = ask('enforced', context);
          const enforcing = hasShadow ? ask('shadow', context) : effect;
          const expected = {
            effect,
            shadow: enforcing === effect ? undefined : enforcing,
            visible: effect === 'allow' || ask('visible', context) === 'allow',
          };
          const { visible, shadow } = decision;
          expect({ request, effect: decision.effect, shadow: shadow?.effect, visible }).toEqual({
            request,
            ...expected,
          });
          decisions += 1;
          for (const word of describe(decision, document, request.context.time)) count(word);
        }
      },
    ),
    { numRuns: policies, reporter: tellOne },
  );

  expect(decisions).toBeGreaterThanOrEqual(20_000);
  // A generator that only ever met `no-rule` would agree with anything.
  const shares = Object.fromEntries(seen);
  for (const word of [
    'allowed',
    'implied',
    'denied-by-rule',
    'denied-by-acl',
    'condition-failed',
    'no-role',
    'no-rule',
    'allowed by an ACL',
    'denied, but visible',
    'changed by shadow',
    'scope-missing',
    'settled by an expression',
    'a trial that is over',
  ]) {
    expect(shares[word] ?? 0, `share of "${word}" in ${JSON.stringify(shares)}`).toBeGreaterThan(
      decisions / 500,
    );
  }
});

function ask(reading: Reading, context: Readonly<Record<string, unknown>>): 'allow' | 'deny' {
  const answer = cedar.statefulIsAuthorized({
    principal: { type: 'P', id: 'p' },
    action: { type: 'Action', id: 'a' },
    resource: { type: 'R', id: 'r' },
    context: context as Record<string, cedar.CedarValueJson>,
    preparsedPolicySetId: reading,
    entities: [],
  });
  if (answer.type !== 'success') throw new Error(JSON.stringify(answer.errors));
  // The translation asks before it reads; an error in it would silently drop a rule.
  if (answer.response.diagnostics.errors.length > 0) {
    throw new Error(JSON.stringify(answer.response.diagnostics.errors));
  }
  return answer.response.decision;
}

/** fast-check would print all requests of the failing run; the policy, the seed and the disagreement are enough. */
function tellOne(run: fc.RunDetails<[OraclePolicy, OracleRequest[]]>): void {
  if (!run.failed) return;
  const where = `seed ${run.seed}, path "${run.counterexamplePath}"`;
  const document = JSON.stringify(run.counterexample?.[0]);
  throw new Error(`${where}\n${document}`, { cause: run.errorInstance });
}

function* describe(decision: Decision, document: OraclePolicy, time: number): Generator<string> {
  const hasAcl = document.acl.length > 0;
  const first = decision.reasons[0];
  yield first.code;
  if (hasAcl && first.code === 'allowed' && first.rule?.startsWith('acl')) yield 'allowed by an ACL';
  if (decision.effect === 'deny' && decision.visible) yield 'denied, but visible';
  if (decision.shadow !== undefined) yield 'changed by shadow';
  if (first.condition === 'cel') yield 'settled by an expression';
  const rules = Object.values(document.roles).flatMap(({ allow, deny }) => [...allow, ...deny]);
  const isOver = ({ until }: { readonly until?: string }) =>
    until !== undefined && time >= Date.parse(until) + 86_400_000;
  if (rules.some(isOver)) yield 'a trial that is over';
}
