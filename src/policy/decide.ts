import type { AccessRequest, Action, Decision, ReasonCode } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import { Hearing } from './hearing.ts';
import type { AclObject, CompiledPolicy, CompiledRule } from './model.ts';
import { missingScopes, scopeRulesFor } from './required-scopes.ts';
import { coversUpstream, findInScope } from './scope.ts';

/** Names beyond this are nobody's rule. Matching costs pattern times name, and a URI of this length is no honest one. */
const longestName = 8192;

const actions: ReadonlySet<string> = new Set<Action>([
  'call',
  'read',
  'subscribe',
  'get',
  'complete',
  'use',
  'ask',
]);

/** Work done for one decision. Tests pin it, because time on a busy machine proves nothing. */
export interface Tally {
  /** Patterns with wildcards that were tried against the name. */
  patterns: number;
  /** Rules and ACL objects whose name matched, so that the rest of them had to be looked at. */
  rules: number;
}

/**
 * Decides whether a subject may do something to a target now.
 *
 * Nothing is allowed unless a rule allows it, and any deny wins. A condition that cannot be evaluated makes an allow
 * rule not allow and a deny rule deny. Once an object matches an `acl` entry, only ACL entries may allow it. What is
 * allowed so far is denied to a token that lacks a scope which `scopes:` asks for. Rules in `mode: shadow` have no part
 * in the effect until their trial ends; `shadow` tells where they would have changed it.
 *
 * Pure and total: no clock, no I/O, and whatever the request holds, the answer is a decision. A request that breaks
 * its own type is denied.
 */
export function decide(request: AccessRequest, policy: CompiledPolicy): Decision {
  return safely(request, policy, undefined);
}

/**
 * Whether the subject may know that a target exists: for filtering lists. Conditions on arguments, network and time
 * count as unknown: an allow rule with such conditions shows the target, a deny rule with such conditions does not
 * hide it, a deny rule without them does. Always equal to `decide(…).visible`.
 */
export function isVisible(request: AccessRequest, policy: CompiledPolicy): boolean {
  return safely(request, policy, undefined).visible;
}

/** `decide`, and how much work it was. For tests and benchmarks. */
export function decideCounting(
  request: AccessRequest,
  policy: CompiledPolicy,
): { readonly decision: Decision; readonly tally: Tally } {
  const tally: Tally = { patterns: 0, rules: 0 };
  return { decision: safely(request, policy, tally), tally };
}

function safely(request: AccessRequest, policy: CompiledPolicy, tally: Tally | undefined): Decision {
  try {
    return judge(request, policy, tally);
  } catch {
    // Only a value that breaks its declared type can throw, such as an object with a throwing getter.
    return refusal('no-rule');
  }
}

function judge(request: AccessRequest, policy: CompiledPolicy, tally: Tally | undefined): Decision {
  const { upstream, kind, name } = request.resource;
  if (typeof name !== 'string' || typeof upstream !== 'string' || name.length > longestName) {
    return refusal('no-rule');
  }
  if (!actions.has(request.action)) return refusal('no-rule');
  const { time } = request.context;
  if (policy.parts.dated && !Number.isFinite(time)) return refusal('no-rule');
  const { roles, scopes } = rolesOf(request.subject, policy);
  if (roles.length === 0) return refusal('no-role');

  const hearing = new Hearing(request);
  const rules: CompiledRule[] = [];
  for (const role of roles) findInScope(role.rules, upstream, kind, name, rules, tally);
  for (const rule of rules) {
    if (tally !== undefined) tally.rules += 1;
    if (coversUpstream(rule.scope.upstreams, upstream)) hearing.hear(rule, false);
  }
  const objects: AclObject[] = [];
  findInScope(policy.parts.aclIndex, upstream, kind, name, objects, tally);
  for (const object of objects) {
    if (tally !== undefined) tally.rules += 1;
    if (coversUpstream(object.scope.upstreams, upstream)) hearing.hearAcl(object, roles);
  }
  if (kind === 'method' && request.resource.implied === true) hearing.imply(roles);
  if (scopes !== undefined && policy.parts.scopes.count > 0) {
    const asked = scopeRulesFor(request, roles, policy);
    hearing.lack(missingScopes(asked, scopes, time, false), missingScopes(asked, scopes, time, true));
  }
  return hearing.decision();
}

function refusal(code: ReasonCode): Decision {
  return {
    effect: 'deny',
    reasons: [{ code, rule: undefined, location: undefined }],
    visible: false,
    obligations: { auditArguments: false },
  };
}
