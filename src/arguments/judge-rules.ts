import type { JsonObject } from '../values/json.ts';
import { finish, type Steps } from '../values/steps.ts';
import type { Lookup } from './role.ts';
import type {
  ArgumentFault,
  ArgumentRule,
  CallContext,
  Rewrite,
  RuleJudgement,
  SecretPlaces,
} from './rule.ts';

/** A question to the machine, and the rule that asks it. */
export interface OpenLookup {
  readonly rule: ArgumentRule;
  readonly path: string;
  readonly role: string;
  readonly lookup: Lookup;
}

export interface RulesJudgement {
  /** The arguments to go on with: the same object where nothing was rewritten. */
  readonly args: JsonObject;
  readonly rewrites: readonly Rewrite[];
  /** The first fault of a rule that is enforced. */
  readonly fault: ArgumentFault | undefined;
  /** Faults of rules in shadow mode. */
  readonly wouldRefuse: readonly ArgumentFault[];
  readonly lookups: readonly OpenLookup[];
}

/**
 * Judges arguments by all rules that match a call, in their order.
 *
 * Enforced rules judge what will be sent: each gets what the one before it rewrote, and where anything was rewritten
 * they all judge the result once more. Rules that rewrite what another has rewritten refuse the call. Rules in shadow
 * mode come last and change nothing. A rule that throws refuses.
 *
 * @param partial only some of the arguments are there: see {@link ArgumentRule.judgePart}
 */
export function judgeRules(
  rules: readonly ArgumentRule[],
  given: JsonObject,
  call: CallContext,
  partial: boolean,
): RulesJudgement {
  return finish(judgeRulesSteps(rules, given, call, partial));
}

/** As `judgeRules`, with a place to stop behind each rule. */
export function* judgeRulesSteps(
  rules: readonly ArgumentRule[],
  given: JsonObject,
  call: CallContext,
  partial: boolean,
): Steps<RulesJudgement> {
  const rewrites: Rewrite[] = [];
  let lookups: OpenLookup[] = [];
  let args = given;
  const isSecret: SecretPlaces = (trail) => rules.some((rule) => rule.isSecretAt(trail));

  function* enforce(rule: ArgumentRule): Steps<ArgumentFault | undefined> {
    const judgement = yield* ask(rule, args, call, partial, isSecret);
    if (judgement.fault !== undefined) return judgement.fault;
    args = judgement.args;
    rewrites.push(...judgement.rewrites);
    lookups.push(...ofRule(rule, judgement));
    return undefined;
  }

  function* judgeAgain(rule: ArgumentRule): Steps<ArgumentFault | undefined> {
    const judgement = yield* ask(rule, args, call, partial, isSecret);
    if (judgement.fault !== undefined) return judgement.fault;
    if (judgement.args !== args) return conflictOf(rule, judgement);
    lookups.push(...ofRule(rule, judgement));
    return undefined;
  }

  const enforced = rules.filter(({ mode }) => mode === 'enforce');
  let fault = yield* firstFault(enforced, enforce);
  if (fault === undefined && rewrites.length > 0 && enforced.length > 1) {
    lookups = [];
    fault = yield* firstFault(enforced, judgeAgain);
  }
  if (fault !== undefined) lookups = [];

  const wouldRefuse: ArgumentFault[] = [];
  for (const rule of rules) {
    if (rule.mode === 'enforce') continue;
    const judgement = yield* ask(rule, args, call, partial, isSecret);
    if (judgement.fault !== undefined) wouldRefuse.push(judgement.fault);
    else if (fault === undefined) lookups.push(...ofRule(rule, judgement));
    yield;
  }
  return { args, rewrites, fault, wouldRefuse, lookups };
}

function* firstFault(
  rules: readonly ArgumentRule[],
  judge: (rule: ArgumentRule) => Steps<ArgumentFault | undefined>,
): Steps<ArgumentFault | undefined> {
  for (const rule of rules) {
    const fault = yield* judge(rule);
    if (fault !== undefined) return fault;
    yield;
  }
  return undefined;
}

function* ask(
  rule: ArgumentRule,
  args: JsonObject,
  call: CallContext,
  partial: boolean,
  isSecret: SecretPlaces,
): Steps<RuleJudgement> {
  try {
    return yield* rule.judgeSteps(args, call, partial, isSecret);
  } catch {
    const { id, location } = rule;
    const fault: ArgumentFault = {
      rule: id,
      location,
      path: '(arguments)',
      role: 'rule',
      fault: 'broken',
      allow: 'tell the operator: the rule cannot be evaluated',
    };
    return { args, rewrites: [], fault, lookups: [] };
  }
}

function ofRule(rule: ArgumentRule, { lookups }: RuleJudgement): readonly OpenLookup[] {
  return lookups.length === 0 ? none : lookups.map((lookup) => ({ rule, ...lookup }));
}

const none: readonly OpenLookup[] = Object.freeze([]);

function conflictOf({ id, location }: ArgumentRule, { rewrites }: RuleJudgement): ArgumentFault {
  return {
    rule: id,
    location,
    path: rewrites[0]?.path ?? '(arguments)',
    role: 'rewrite',
    fault: 'conflict',
    allow: 'tell the operator: two rules rewrite the argument, each undoing the other',
  };
}
