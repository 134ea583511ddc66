import type { JsonObject } from '../values/json.ts';
import type { AccessRequest } from './access-request.ts';
import type { AmountQuestion } from './amount.ts';
import type { LimitKey } from './limit-document.ts';
import { limitsFor, rolesCounted } from './limits.ts';
import type { CompiledLimit, CompiledPolicy } from './model.ts';

/** A limit that counts a call. */
export interface ExplainedLimit {
  readonly limit: string;
  readonly location: string;
  readonly shadow: boolean;
  /** What is counted apart. */
  readonly per: readonly LimitKey[];
  /** With `per: role`: the roles under each of which the call counts. */
  readonly roles?: readonly string[];
  /** `30/min, burst 10`; `5000/day`; `4 at once`; `args.amount per day, most 100`. */
  readonly holds: readonly string[];
  /** How many units the call costs, where a rate or a quota counts it; `unknown` where the arguments do not tell, and refuse it. */
  readonly cost?: number | 'unknown';
  /** What the call adds to the sum. */
  readonly adds?: number | 'unknown';
  /** The call asks for more than there ever is, or does not tell for how much: it is refused whatever was before. */
  readonly never?: true;
  readonly onStoreLoss: CompiledLimit['onStoreLoss'];
}

/**
 * Which limits count a call, and by how much. Whether they would refuse it depends on the calls before.
 *
 * @param method what carries the request: `methods:` of a limit means it, whatever the target
 * @param args as they will be sent; undefined where none were given
 */
export function explainLimits(
  request: AccessRequest,
  method: string,
  args: JsonObject | undefined,
  policy: CompiledPolicy,
): readonly ExplainedLimit[] {
  const { subject, resource, context } = request;
  const { upstream, kind, name } = resource;
  const question = { args, tool: name };
  return limitsFor(policy, { upstream, kind, name, method, subject, time: context.time }).map((limit) => ({
    limit: limit.name,
    location: limit.location,
    shadow: limit.mode === 'shadow',
    per: limit.per,
    ...(limit.per.includes('role') ? { roles: rolesCounted(policy, limit, subject) } : {}),
    holds: holdsOf(limit),
    ...(limit.rate === undefined && limit.quota === undefined
      ? {}
      : { cost: units(limit.cost.measure(question)) }),
    ...(limit.sum === undefined ? {} : { adds: units(limit.sum.amount.measure(question)) }),
    ...(isEverAdmitted(limit, question) ? {} : { never: true as const }),
    onStoreLoss: limit.onStoreLoss,
  }));
}

function isEverAdmitted({ rate, quota, sum, cost }: CompiledLimit, question: AmountQuestion): boolean {
  const fits = (amount: number | undefined, most: number): boolean => amount !== undefined && amount <= most;
  const most = Math.min(
    (rate?.burst ?? Number.POSITIVE_INFINITY) * 1000,
    quota?.most ?? Number.POSITIVE_INFINITY,
  );
  if ((rate !== undefined || quota !== undefined) && !fits(cost.measure(question), most)) return false;
  return sum === undefined || fits(sum.amount.measure(question), sum.most);
}

/** What a limit allows, in the words of the policy. */
export function holdsOf({ rate, quota, sum, concurrency, cost }: CompiledLimit): readonly string[] {
  const each = cost.text === '1' ? '' : `, cost ${cost.text}`;
  return [
    ...(rate === undefined ? [] : [`${rate.count}/${spanOf(rate.periodMs)}, burst ${rate.burst}${each}`]),
    ...(quota === undefined ? [] : [`${quota.most / 1000}/${quota.period}${each}`]),
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(sum === undefined ? [] : [`${sum.amount.text} per ${sum.period}, most ${sum.most / 1000}`]),
  ];
}

function units(amount: number | undefined): number | 'unknown' {
  return amount === undefined ? 'unknown' : amount / 1000;
}

const spans = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

function spanOf(periodMs: number): string {
  const [width, word] = spans.find(([width]) => periodMs % width === 0) ?? spans[3];
  return periodMs === width ? word : `${periodMs / width}${word}`;
}
