import { judgeRulesSteps, type OpenLookup } from '../arguments/judge-rules.ts';
import type { ArgumentFault, ArgumentRule, CallContext, Rewrite } from '../arguments/rule.ts';
import { GatewayError } from '../errors.ts';
import { replaceFrameSteps } from '../mcp/encode-steps.ts';
import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import { mirrorHeaders } from '../mcp/headers.ts';
import { type MethodRow, methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { argumentRulesFor } from '../policy/content.ts';
import { describeSubject } from '../policy/describe-subject.ts';
import type { JsonObject } from '../values/json.ts';
import { finish, finishInTurns, type Steps, stepSize } from '../values/steps.ts';
import { carriersOf } from './argument-carrier.ts';
import { type ArgumentLookups, answerLookups } from './argument-lookups.ts';
import { maySee } from './may-see.ts';

export type { ArgumentLookups } from './argument-lookups.ts';

/**
 * Holds the arguments of tools and prompts to the rules of `arguments:`: rewrites, then roles, then relations, then
 * what only the file system or the name service can answer. The decision of `authorize`, which follows, is on the
 * rewritten arguments.
 *
 * @param refreshCatalog asks an upstream for its tools, once, where arguments of a tool not yet known are rewritten:
 *   its headers may have to mirror them
 */
export function argumentRules(
  lookups: ArgumentLookups,
  refreshCatalog: (upstream: string) => Promise<unknown>,
): Filter {
  return {
    name: 'arguments',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (frame.kind !== 'request' && frame.kind !== 'notification') return pass;
      const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
      // What has no row or no targets that can be read, `authorize` refuses.
      const targets = row === undefined ? undefined : targetsOf(row, frame.params);
      if (row === undefined || targets?.ok !== true) return pass;
      // No method has two targets with arguments.
      const target = targets.value.find(({ kind }) => kind === 'tool' || kind === 'prompt');
      return target === undefined
        ? pass
        : inTurns(judgeTarget({ frame, row, target, exchange, refreshCatalog }, lookups), frame.bytes.length);
    },
  };
}

interface Call {
  readonly frame: RequestFrame | NotificationFrame;
  readonly row: MethodRow;
  readonly target: Target;
  readonly exchange: Exchange;
  readonly refreshCatalog: (upstream: string) => Promise<unknown>;
}

/** All at once, or for large arguments in turns with what else the gateway has to do. */
function inTurns(steps: Steps<Verdict | Promise<Verdict>>, size: number): Verdict | Promise<Verdict> {
  return size > stepSize ? finishInTurns(steps) : finish(steps);
}

function* judgeTarget(call: Call, lookups: ArgumentLookups): Steps<Verdict | Promise<Verdict>> {
  const { frame, target, exchange } = call;
  const { upstream, principal, policy, time } = exchange;
  const { kind, name } = target;
  const rules = argumentRulesFor(policy, { upstream, kind, name, subject: principal, time });
  if (rules.length === 0) return pass;
  const carriers = carriersOf(target, frame.params);
  for (const { args } of carriers ?? []) keepSecrets(rules, args, exchange);
  // Of what the caller may not see, `authorize` answers that it does not exist, whatever the arguments.
  if (!maySee(target, exchange)) return pass;
  if (carriers === undefined) return reject(new GatewayError('frame-params-invalid'));

  const context: CallContext = { upstream, tool: name, principal: describeSubject(principal, policy), time };
  const rewrites: Rewrite[] = [];
  const open: OpenLookup[] = [];
  let params: JsonObject = frame.params ?? {};
  for (const carrier of carriers) {
    const judgement = yield* judgeRulesSteps(rules, carrier.args, context, carrier.partial);
    for (const fault of judgement.wouldRefuse) note('would-refuse', fault, exchange);
    if (judgement.fault !== undefined) return refuse(judgement.fault, call);
    rewrites.push(...judgement.rewrites);
    open.push(...judgement.lookups);
    if (judgement.args === carrier.args) continue;
    const put = carrier.put(params, judgement.args);
    if (put === undefined) return refuse(droppedBy(judgement.rewrites, rules), call);
    params = put;
  }

  const goOn = () =>
    rewrites.length === 0 ? pass : inTurns(rewritten(call, params, rewrites), frame.bytes.length);
  if (open.length === 0) return goOn();
  // Rules in shadow mode may use the room that the enforced ones leave.
  const questions = [...open].sort((a, b) => Number(isShadow(a)) - Number(isShadow(b)));
  return answerLookups(questions, lookups).then((faults) => {
    for (const { open, fault } of faults) if (isShadow(open)) note('would-refuse', fault, exchange);
    const refused = faults.find(({ open }) => !isShadow(open));
    return refused === undefined ? goOn() : refuse(refused.fault, call);
  });
}

/** Before anything can fail: a call that is refused is recorded too. */
function keepSecrets(rules: readonly ArgumentRule[], args: JsonObject, { facts }: Exchange): void {
  for (const rule of rules) for (const secret of rule.secretsIn(args)) facts.secrets.push(secret);
}

function isShadow({ rule }: OpenLookup): boolean {
  return rule.mode === 'shadow';
}

/** The caller learns what an operator would have to change, never the value, and not where the rule is written. */
function refuse(fault: ArgumentFault, { target, exchange }: Call): Verdict {
  const { rule, path, role, allow } = fault;
  exchange.facts.target ??= { kind: target.kind, name: target.name };
  note('refused', fault, exchange);
  return reject(
    new GatewayError('arguments-refused', { data: { rule, path, role, fault: fault.fault, allow } }),
  );
}

function note(
  effect: 'refused' | 'would-refuse',
  { rule, path, role, fault }: ArgumentFault,
  exchange: Exchange,
): void {
  addFinding(exchange, { check: 'arguments', effect, rule, path, detail: `${role}:${fault}` });
}

function droppedBy(rewrites: readonly Rewrite[], rules: readonly ArgumentRule[]): ArgumentFault {
  const dropped = rewrites.find(({ rewrite }) => rewrite === 'drop') ?? rewrites[0]!;
  return {
    rule: dropped.rule,
    location: rules.find(({ id }) => id === dropped.rule)?.location ?? '',
    path: dropped.path,
    role: 'rewrite',
    fault: 'dropped',
    allow: 'ask for the completion of another argument, or take away `drop`',
  };
}

/** The frame as it goes on, with headers that say what its new body says. */
function* rewritten(
  call: Call,
  params: JsonObject,
  rewrites: readonly Rewrite[],
): Steps<Verdict | Promise<Verdict>> {
  const { target, exchange } = call;
  for (const one of rewrites) {
    const { rule, path, rewrite: detail, before } = one;
    yield;
    addFinding(exchange, {
      check: 'arguments',
      effect: 'rewritten',
      rule,
      path,
      detail,
      before,
      after: one.after,
    });
    yield;
  }
  const frame = yield* replaceFrameSteps(call.frame, { ...call.frame.value, params });
  if (exchange.era !== 'modern') return replace(frame);
  // A caller whose arguments need no header brings none, and nobody has asked for the annotations yet.
  if (target.kind !== 'tool' || exchange.catalog.tool(target.name) !== undefined)
    return mirrored(frame, call);
  return call.refreshCatalog(exchange.upstream).then(() => mirrored(frame, call));
}

function mirrored(frame: RequestFrame | NotificationFrame, { row, target, exchange }: Call): Verdict {
  const { catalog, headers, facts } = exchange;
  const annotated = target.kind === 'tool' ? catalog.tool(target.name)?.mirroredArguments : undefined;
  const unknown = new Map([...headers.params].filter(([suffix]) => !annotated?.has(suffix)));
  facts.mirroredHeaders = mirrorHeaders(frame, row, annotated, unknown);
  return replace(frame);
}
