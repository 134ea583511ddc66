import { type Claim, type Measure, unit } from '../limits/contract.ts';
import { gcraRate, type RateMeasure } from '../limits/gcra.ts';
import type { Frame } from '../mcp/frame.ts';
import { methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { methodWord } from '../pipeline/method-word.ts';
import { limitsFor } from '../policy/limits.ts';
import type { CompiledLimit } from '../policy/model.ts';
import { keysOf, keyText, type LimitKeyParts } from './limit-keys.ts';

/** One claim of one limit, and what it is about. */
export interface LimitClaim extends Claim {
  readonly what: 'rate' | 'quota' | 'sum' | 'places';
  /** Whether it counts this caller alone. */
  readonly own: boolean;
}

export interface Counted {
  /** Limits that count the frame, in the order in which they are written. */
  readonly limits: readonly CompiledLimit[];
  /** Keys are distinct. */
  readonly claims: readonly LimitClaim[];
  /** Limits for which the arguments do not tell how much the frame counts for. */
  readonly unmeasured: readonly CompiledLimit[];
}

/**
 * How much is known, and wanted, of a frame:
 *
 * - `least`: before anything is judged. Rates and quotas, by the least that the frame can cost.
 * - `judged`: as it will be sent. Everything.
 * - `refused`: a frame that is not sent. Rates and quotas as far as they can be told, each by itself.
 */
export type Stage = 'least' | 'judged' | 'refused';

/**
 * What the limits ask of whoever counts, for one frame of a client. A frame with many targets (a batch of
 * subscriptions) counts under each of them, each key once, by its dearest.
 */
export function countFrame(frame: Frame, exchange: Exchange, stage: Stage): Counted {
  const { policy, upstream, principal: subject, time } = exchange;
  if (policy.limits.length === 0) return nothing;
  const method = methodWord(frame);
  const { targets, isKnown } = targetsFor(frame, exchange, method);
  const limits = new Set<CompiledLimit>();
  const unmeasured = new Set<CompiledLimit>();
  const claims = new Map<string, LimitClaim>();
  const mayHold = frame.kind === 'request' || frame.kind === 'stream-open';
  for (const target of targets) {
    const about = { upstream, kind: target.kind, name: target.name, method, subject, time };
    for (const limit of limitsFor(policy, about)) {
      limits.add(limit);
      const asked = asksOf(limit, target, stage, mayHold);
      if (asked === undefined) unmeasured.add(limit);
      for (const key of keysOf(limit, exchange, target, isKnown ? method : undefined)) {
        for (const ask of asked ?? []) addClaim(claims, limit, ask, key, stage);
      }
    }
  }
  return { limits: [...limits], claims: [...claims.values()], unmeasured: [...unmeasured] };
}

const nothing: Counted = Object.freeze({ limits: [], claims: [], unmeasured: [] });

type About = Pick<Target, 'kind' | 'name' | 'arguments'>;

function targetsFor(
  frame: Frame,
  exchange: Exchange,
  method: string,
): { readonly targets: readonly About[]; readonly isKnown: boolean } {
  const itself: readonly About[] = [{ kind: 'method', name: method }];
  if (frame.kind !== 'request' && frame.kind !== 'notification') return { targets: itself, isKnown: true };
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  if (row === undefined) return { targets: itself, isKnown: false };
  const targets = targetsOf(row, frame.params);
  return { targets: targets.ok && targets.value.length > 0 ? targets.value : itself, isKnown: true };
}

const rates = new WeakMap<CompiledLimit, RateMeasure>();

function rateOf(limit: CompiledLimit): RateMeasure {
  let rate = rates.get(limit);
  if (rate === undefined) {
    const { count, periodMs, burst } = limit.rate!;
    rate = gcraRate(count, periodMs, burst);
    rates.set(limit, rate);
  }
  return rate;
}

/** What a limit asks for one target, whatever the key. */
interface Ask {
  readonly what: LimitClaim['what'];
  readonly measure: Measure;
  readonly amount: number;
}

/** @returns undefined where an amount cannot be told */
function asksOf(
  limit: CompiledLimit,
  target: About,
  stage: Stage,
  mayHold: boolean,
): readonly Ask[] | undefined {
  const { rate, quota, sum, concurrency, cost } = limit;
  const question = { args: target.arguments, tool: target.name };
  const asks: Ask[] = [];
  if (rate !== undefined || quota !== undefined) {
    const least = cost.least(target.name);
    const measured = stage === 'least' ? least : cost.measure(question);
    // A frame that is refused anyway is charged what can be told of it.
    const amount = measured ?? (stage === 'refused' ? least : undefined);
    if (amount === undefined) return undefined;
    if (rate !== undefined) asks.push({ what: 'rate', measure: rateOf(limit), amount });
    if (quota !== undefined) asks.push({ what: 'quota', measure: { kind: 'window', ...quota }, amount });
  }
  if (stage !== 'judged') return asks;
  if (sum !== undefined) {
    const { period, most } = sum;
    const amount = sum.amount.measure(question);
    if (amount === undefined) return undefined;
    asks.push({ what: 'sum', measure: { kind: 'window', period, most }, amount });
  }
  // Notifications and answers are gone as soon as they are accepted: only what waits for the upstream holds a place.
  if (concurrency !== undefined && mayHold) {
    asks.push({ what: 'places', measure: { kind: 'places', most: concurrency }, amount: unit });
  }
  return asks;
}

function addClaim(
  claims: Map<string, LimitClaim>,
  limit: CompiledLimit,
  { what, measure, amount }: Ask,
  { parts, own }: LimitKeyParts,
  stage: Stage,
): void {
  const key = keyText([what, limit.name, ...shapeOf(measure), ...parts]);
  const known = claims.get(key);
  if (known !== undefined && known.amount >= amount) return;
  claims.set(key, {
    limit: limit.name,
    key,
    measure,
    amount,
    enforced: limit.mode === 'enforce' && stage !== 'refused',
    onStoreLoss: limit.onStoreLoss,
    what,
    own,
  });
}

/** What makes a count of another: a reload that changes a rate or a period starts it anew, for it meant something else. */
function shapeOf(measure: Measure): readonly (string | number)[] {
  switch (measure.kind) {
    case 'rate':
      return [measure.costUs, measure.toleranceUs];
    case 'window':
      return [measure.period];
    case 'places':
      return [];
  }
}
