import { allowedEdits, editDistance } from '../document/did-you-mean.ts';
import type { JsonObject } from '../values/json.ts';
import type { AccessRequest, Decision } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import { blameWhen, testWhen } from './conditions/when.ts';
import { coversAction } from './covers-action.ts';
import { type ExplainedArguments, explainArguments } from './explain-arguments.ts';
import { type ExplainedLimit, explainLimits } from './explain-limits.ts';
import { judgeCall } from './judge-call.ts';
import type { CompiledPolicy, CompiledRule, Role } from './model.ts';
import { missingScopes, scopeRulesFor } from './required-scopes.ts';
import { coversName, coversUpstream, kinds } from './scope.ts';
import { isOnTrial } from './trial.ts';

export { formatExplanation } from './format-explanation.ts';

/** A decision with all that led to it, as plain data. For operators: it holds rule texts, and is not for callers. */
export interface Explanation {
  readonly request: {
    readonly subject: string;
    readonly action: string;
    readonly upstream: string;
    readonly kind: string;
    readonly name: string;
  };
  /** What becomes of the request: `allow` where both the decision and the rules on arguments let it through. */
  readonly effect: 'allow' | 'deny';
  /** On the arguments as they would be sent. */
  readonly decision: Decision;
  /** Absent where no entry of `arguments:` is about the target, or the subject may not see it. */
  readonly arguments?: ExplainedArguments;
  readonly roles: readonly {
    readonly role: string;
    readonly location: string;
    /** Given by the key file to the caller's API key, and by no binding. */
    readonly byKey?: true;
    /** In an overload. Absent: normal. */
    readonly priority?: 'low' | 'high';
  }[];
  readonly bindings: readonly { readonly rule: string; readonly location: string }[];
  /** ACL entries' objects that match the target. */
  readonly acl: readonly { readonly rule: string; readonly location: string; readonly shadow: boolean }[];
  /** Entries of `scopes:` that are about the target. Of a caller without a token nothing is missing. */
  readonly scopes: readonly {
    readonly rule: string;
    readonly location: string;
    readonly shadow: boolean;
    readonly asks: readonly string[];
    readonly missing: readonly string[];
  }[];
  /** Limits that count the call. Whether they refuse it depends on the calls before. */
  readonly limits: readonly ExplainedLimit[];
  /** Every rule of the subject's roles that names the target. */
  readonly rules: readonly ExplainedRule[];
  readonly nearMisses: readonly NearMiss[];
}

export interface ExplainedRule {
  readonly rule: string;
  readonly location: string;
  readonly effect: 'allow' | 'deny';
  readonly shadow: boolean;
  readonly outcome: 'applies' | 'does-not-apply' | 'cannot-be-evaluated';
  /** Which condition does not hold, such as `args.limit.max`. */
  readonly condition?: string;
}

/** A rule that would have been about this request but for one thing. */
export interface NearMiss {
  readonly rule: string;
  readonly location: string;
  readonly effect: 'allow' | 'deny';
  readonly differs: 'role' | 'upstream' | 'kind' | 'name' | 'action';
  /** What the rule asks for. */
  readonly wants: string;
}

/** More would hide the near ones among the far. */
const mostNearMisses = 10;

/**
 * Explains what `judgeCall` says, and which rules came close. Looks at every rule: not for the path of a request.
 *
 * @param method what carries the request, for limits that name methods
 */
export function explain(
  given: AccessRequest,
  policy: CompiledPolicy,
  method: string = given.resource.name,
): Explanation {
  const { effect, decision, content } = judgeCall(given, policy);
  const sent = content === undefined ? given.context.arguments : content.judgement.args;
  const args = given.action === 'complete' ? undefined : sent;
  const request = { ...given, context: { ...given.context, arguments: args } };
  const { upstream, kind, name } = request.resource;
  const { roles, bindings } = rolesOf(request.subject, policy);
  const isByKey = (role: Role) =>
    !bindings.some((binding) => binding.roles.includes(role)) &&
    request.subject.credentials.some((one) => one.kind === 'apiKey' && one.roles?.includes(role.name));
  const { time } = request.context;
  const held = new Set(roles);
  const rules: ExplainedRule[] = [];
  const nearMisses: { readonly miss: NearMiss; readonly distance: number }[] = [];
  for (const rule of policy.parts.rules) {
    const differences = differencesOf(rule, request, held);
    if (differences.length === 0) rules.push(explainRule(rule, request));
    else if (differences.length === 1) {
      const { distance, ...difference } = differences[0]!;
      if (distance < Number.POSITIVE_INFINITY) {
        nearMisses.push({ miss: { ...originOf(rule), effect: rule.effect, ...difference }, distance });
      }
    }
  }
  return {
    request: { subject: request.subject.id, action: request.action, upstream, kind, name },
    effect,
    decision,
    ...(content === undefined ? {} : { arguments: explainArguments(content) }),
    roles: roles.map((role) => ({
      role: role.name,
      location: role.location,
      ...(isByKey(role) ? { byKey: true as const } : {}),
      ...(role.priority === 'normal' ? {} : { priority: role.priority }),
    })),
    bindings: bindings.map(originOf),
    acl: policy.parts.acl
      .filter(({ scope }) => coversUpstream(scope.upstreams, upstream) && coversName(scope, kind, name))
      .map((object) => ({ ...originOf(object), shadow: isOnTrial(object, time) })),
    scopes: explainScopes(request, policy),
    limits: explainLimits(request, method, args as JsonObject | undefined, policy),
    rules,
    nearMisses: nearMisses
      .sort((a, b) => a.distance - b.distance)
      .slice(0, mostNearMisses)
      .map(({ miss }) => miss),
  };
}

function originOf(origin: { readonly id: string; readonly location: string }) {
  return { rule: origin.id, location: origin.location };
}

function explainScopes(request: AccessRequest, policy: CompiledPolicy): Explanation['scopes'] {
  const { roles, scopes: held } = rolesOf(request.subject, policy);
  const { time } = request.context;
  return scopeRulesFor(request, roles, policy).map((rule) => {
    const shadow = isOnTrial(rule, time);
    const missing = missingScopes([rule], held, time, shadow).flatMap((lack) => lack.missing);
    return { ...originOf(rule), shadow, asks: rule.scopes, missing };
  });
}

function explainRule(rule: CompiledRule, request: AccessRequest): ExplainedRule {
  const truth = testWhen(rule.when, request);
  const condition = rule.when === undefined ? undefined : blameWhen(rule.when, request);
  return {
    ...originOf(rule),
    effect: rule.effect,
    shadow: isOnTrial(rule, request.context.time),
    outcome: truth === 'true' ? 'applies' : truth === 'false' ? 'does-not-apply' : 'cannot-be-evaluated',
    ...(condition === undefined ? {} : { condition }),
  };
}

type Difference = Pick<NearMiss, 'differs' | 'wants'> & { readonly distance: number };

function differencesOf(
  rule: CompiledRule,
  request: AccessRequest,
  held: ReadonlySet<Role>,
): readonly Difference[] {
  const { upstream, kind, name } = request.resource;
  const found: Difference[] = [];
  if (!rule.roles.some((role) => held.has(role))) {
    found.push({ differs: 'role', wants: rule.roles.map((role) => role.name).join(', '), distance: 0 });
  }
  if (!coversUpstream(rule.scope.upstreams, upstream)) {
    const wants = rule.scope.upstreams?.map((pattern) => pattern.text).join(', ') ?? '*';
    found.push({ differs: 'upstream', wants, distance: 0 });
  }
  if (!coversAction(rule, request)) {
    const wants = rule.actions === undefined ? 'any but ask' : [...rule.actions].join(', ');
    found.push({ differs: 'action', wants, distance: 0 });
  }
  if (!coversName(rule.scope, kind, name)) found.push(nameDifference(rule, request));
  return found;
}

/** The pattern that comes closest, or the same name under another kind; an infinite distance where nothing is close. */
function nameDifference(rule: CompiledRule, request: AccessRequest): Difference {
  const { kind, name } = request.resource;
  const other = kinds.find((one) => one !== kind && coversName(rule.scope, one, name));
  let best: Difference = { differs: 'name', wants: '', distance: Number.POSITIVE_INFINITY };
  for (const pattern of rule.scope.names?.get(kind) ?? []) {
    // Of a pattern with a wildcard, what comes before it has to be nearly there.
    const compared = pattern.exact ? name : name.slice(0, pattern.literal.length);
    const distance = editDistance(compared.toLowerCase(), pattern.literal.toLowerCase());
    if (
      distance <= allowedEdits(pattern.literal) &&
      distance < pattern.literal.length &&
      distance < best.distance
    ) {
      best = { differs: 'name', wants: pattern.text, distance };
    }
  }
  if (best.distance === Number.POSITIVE_INFINITY && other !== undefined) {
    // `tools: "*"` says nothing about a resource: only a name written out does.
    const written = rule.scope.names?.get(other)?.some((pattern) => pattern.exact && pattern.text === name);
    if (written) return { differs: 'kind', wants: other, distance: 0 };
  }
  return best;
}
