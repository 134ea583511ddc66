import { judgeRules, type RulesJudgement } from '../arguments/judge-rules.ts';
import type { ArgumentRule } from '../arguments/rule.ts';
import type { JsonObject } from '../values/json.ts';
import type { AccessRequest, Decision } from './access-request.ts';
import { argumentRulesFor } from './content.ts';
import { decide, isVisible } from './decide.ts';
import { describeSubject } from './describe-subject.ts';
import type { CompiledPolicy } from './model.ts';

/** What policy says of a request and of its arguments, as far as it can without asking anybody. */
export interface CallJudgement {
  readonly effect: 'allow' | 'deny';
  /** On the arguments as they would be sent. */
  readonly decision: Decision;
  /** Absent where no entry of `arguments:` is about the target, or the caller may not see it. */
  readonly content?: {
    readonly rules: readonly ArgumentRule[];
    readonly judgement: RulesJudgement;
  };
}

/**
 * Judges a request in the order in which the gateway does: entries of `arguments:` first, then roles and ACL on what
 * these made of the arguments. A target that the subject may not see is not judged by its arguments at all.
 *
 * Completion is decided without arguments, as it is about a prompt and not yet a call of it.
 *
 * Asks neither file system nor name service: `content.judgement.lookups` tells what a gateway would have to ask. For
 * completion the arguments count as some of them (see {@link ArgumentRule.judgePart}).
 */
export function judgeCall(request: AccessRequest, policy: CompiledPolicy): CallJudgement {
  const { subject, action, resource, context } = request;
  const { upstream, kind, name } = resource;
  const about = { upstream, kind, name, subject, time: context.time };
  const rules = bringsArguments(request) ? argumentRulesFor(policy, about) : [];
  const unasked = { ...request, context: { ...context, arguments: undefined } };
  const completes = action === 'complete';
  if (rules.length === 0 || !isVisible(unasked, policy)) {
    const decision = decide(completes ? unasked : request, policy);
    return { effect: decision.effect, decision };
  }
  const given = (context.arguments ?? {}) as JsonObject;
  const call = { upstream, tool: name, principal: describeSubject(subject, policy), time: context.time };
  const judgement = judgeRules(rules, given, call, completes);
  const decision = decide(completes ? unasked : withArguments(request, judgement), policy);
  const effect = judgement.fault === undefined ? decision.effect : 'deny';
  return { effect, decision, content: { rules, judgement } };
}

/** The request as it would go on. A call without arguments still has none where nothing was filled in. */
function withArguments(request: AccessRequest, { args, rewrites }: RulesJudgement): AccessRequest {
  return rewrites.length === 0 ? request : { ...request, context: { ...request.context, arguments: args } };
}

function bringsArguments({ action, resource: { kind } }: AccessRequest): boolean {
  if (kind === 'tool') return action === 'call';
  return kind === 'prompt' && (action === 'get' || action === 'complete');
}
