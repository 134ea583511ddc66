import { type Claim, unit } from '../limits/contract.ts';
import type { Frame } from '../mcp/frame.ts';
import { methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { methodWord } from '../pipeline/method-word.ts';
import { limitsFor } from '../policy/limits.ts';
import type { CompiledLimit } from '../policy/model.ts';
import { keysOf, knownName, type LimitKeyText, wholeKey } from './limit-keys.ts';
import { type LimitPlan, type PlannedMeasure, planOf } from './limit-plans.ts';

/** One claim of one limit, and what it is about. */
export interface LimitClaim extends Claim {
  readonly what: PlannedMeasure['what'];
  /** Whether it counts this caller alone. */
  readonly own: boolean;
}

export interface Counted {
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
 * - `told`: a frame that is refused by a limit, to say when it may come again. All that has a time, as far as it can be
 *   told for next to nothing.
 */
export type Stage = 'least' | 'judged' | 'refused' | 'told';

/** The limits that count one frame, and under what keys: all that does not depend on the {@link Stage}. */
export interface Reckoning {
  /** In the order in which they are written. */
  readonly limits: readonly CompiledLimit[];
  readonly targets: readonly About[];
  readonly method: string;
  readonly entries: readonly Entry[];
  readonly mayHold: boolean;
  /** Names of the targets that stand in keys; undefined where none does. */
  readonly names: readonly (string | null)[] | undefined;
  readonly owner: string;
}

type About = Pick<Target, 'kind' | 'name' | 'arguments'>;

/** One limit and one target of the frame. */
interface Entry {
  readonly limit: CompiledLimit;
  readonly plan: LimitPlan;
  readonly target: About;
  readonly keys: readonly Key[];
}

interface Key {
  readonly text: string;
  readonly own: boolean;
  /** The claims that were made last: they mostly serve for the next stage as well. */
  readonly claims: Record<PlannedMeasure['what'], LimitClaim | undefined>;
}

function keyOf({ text, own }: LimitKeyText): Key {
  return { text, own, claims: { rate: undefined, quota: undefined, sum: undefined, places: undefined } };
}

/**
 * Which limits count one frame of a client, and under what. A frame with many targets (a batch of subscriptions) counts
 * under each of them.
 *
 * @param known what was found out for an earlier look at the frame of the same exchange: used again where it still holds
 */
export function reckon(frame: Frame, exchange: Exchange, known?: Reckoning): Reckoning {
  const { policy, upstream, principal: subject, time } = exchange;
  if (policy.limits.length === 0) return nothing;
  const method = methodWord(frame);
  const { targets, isKnown } = targetsFor(frame, exchange, method);
  if (known !== undefined && known.method === method && known.targets === targets) {
    if (known.names === undefined || sameNames(known.names, targets, exchange)) return known;
  }
  const limits: CompiledLimit[] = [];
  const entries: Entry[] = [];
  let hasNames = false;
  for (const target of targets) {
    // A call that is to become a task, or a stream that tells of tasks, may read tasks: it is no call of `tasks/get`.
    if (target.kind === 'method' && target.name !== method) continue;
    const about = { upstream, kind: target.kind, name: target.name, method, subject, time };
    for (const limit of limitsFor(policy, about)) {
      if (!limits.includes(limit)) limits.push(limit);
      if (limit.per.includes('tool')) hasNames = true;
      const keys = keysOf(limit, exchange, target, isKnown ? method : undefined);
      entries.push({ limit, plan: planOf(limit), target, keys: keys.map(keyOf) });
    }
  }
  return {
    limits,
    targets,
    method,
    entries,
    mayHold: frame.kind === 'request' || frame.kind === 'stream-open',
    names: hasNames ? targets.map((target) => knownName(exchange, target)) : undefined,
    owner: subject.id,
  };
}

const nothing: Reckoning = Object.freeze({
  limits: [],
  targets: [],
  method: '',
  entries: [],
  mayHold: false,
  names: undefined,
  owner: '',
});

/** The upstream's own list may have come in between. */
function sameNames(
  names: readonly (string | null)[],
  targets: readonly About[],
  exchange: Exchange,
): boolean {
  return targets.every((target, index) => knownName(exchange, target) === names[index]);
}

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

/** What the limits ask of whoever counts. Of several claims of one key, the dearest. */
export function claimsOf(reckoning: Reckoning, stage: Stage): Counted {
  const { entries } = reckoning;
  const claims: LimitClaim[] = [];
  const unmeasured: CompiledLimit[] = [];
  // Keys of one target are distinct, as its limits, their measures and the caller's roles are.
  const places = reckoning.targets.length > 1 ? new Map<string, number>() : undefined;
  const add = (entry: Entry, planned: PlannedMeasure, amount: number): void => {
    for (const key of entry.keys) {
      const claim = claimOf(entry.limit, planned, key, amount, stage, reckoning.owner);
      const at = places?.get(claim.key);
      if (at === undefined) {
        places?.set(claim.key, claims.length);
        claims.push(claim);
      } else if (claims[at]!.amount < amount) claims[at] = claim;
    }
  };
  for (const entry of entries) {
    if (!addClaims(entry, stage, reckoning.mayHold, add) && !unmeasured.includes(entry.limit)) {
      unmeasured.push(entry.limit);
    }
  }
  return { claims, unmeasured };
}

/** @returns false where an amount cannot be told: then nothing more is added */
function addClaims(
  entry: Entry,
  stage: Stage,
  mayHold: boolean,
  add: (entry: Entry, planned: PlannedMeasure, amount: number) => void,
): boolean {
  const { limit, plan, target } = entry;
  const { rate, quota, sum, places } = plan;
  const question = { args: target.arguments, tool: target.name };
  if (rate !== undefined || quota !== undefined) {
    const { cost } = limit;
    const least = cost.least(target.name);
    const isTold = stage !== 'least' && (stage !== 'told' || cost.isCheap);
    const measured = isTold ? cost.measure(question) : least;
    // A frame that is refused anyway is charged what can be told of it.
    const amount = measured ?? (stage === 'judged' ? undefined : least);
    if (amount === undefined) return false;
    if (rate !== undefined) add(entry, rate, amount);
    if (quota !== undefined) add(entry, quota, amount);
  }
  if (sum !== undefined && (stage === 'judged' || (stage === 'told' && limit.sum!.amount.isCheap))) {
    const amount = limit.sum!.amount.measure(question);
    if (amount !== undefined) add(entry, sum, amount);
    else if (stage === 'judged') return false;
  }
  // Notifications and answers are gone as soon as they are accepted: only what waits for the upstream holds a place.
  if (places !== undefined && stage === 'judged' && mayHold) add(entry, places, unit);
  return true;
}

function claimOf(
  limit: CompiledLimit,
  { what, measure, prefix }: PlannedMeasure,
  { text, own, claims }: Key,
  amount: number,
  stage: Stage,
  owner: string,
): LimitClaim {
  const enforced = limit.mode === 'enforce' && stage !== 'refused';
  const known = claims[what];
  if (known !== undefined && known.amount === amount && known.enforced === enforced) return known;
  const claim: LimitClaim = {
    limit: limit.name,
    key: known?.key ?? wholeKey(prefix, text),
    measure,
    amount,
    enforced,
    onStoreLoss: limit.onStoreLoss,
    owner,
    what,
    own,
  };
  claims[what] = claim;
  return claim;
}
