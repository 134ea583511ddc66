import type { Claim, Measure, Refused } from './contract.ts';
import { chargeUs } from './gcra.ts';

/**
 * Refusals of a shared store that are certain to be repeated, so that who knocks again too early costs the store nothing.
 */
export interface DenialCache {
  /** A refusal that the store would certainly repeat. Also where no store need be asked: more than there ever is. */
  find(claim: Claim, nowUs: number): Refused | undefined;
  /**
   * @param waitUs microseconds that the store said, counted from `askedAtUs`: the moment before it was asked, so that no
   *   refusal is repeated here that the store would already take back
   */
  note(claim: Claim, waitUs: number, askedAtUs: number): void;
  readonly size: number;
}

interface Denial {
  readonly measure: Measure;
  readonly amount: number;
  readonly untilUs: number;
  readonly trustedUntilUs: number;
}

/** A minute: then the store is asked again, in case somebody set its counts right. */
const longestTrustUs = 60_000_000;

/** @param maximum refusals that are remembered; beyond it the oldest is forgotten, which costs a question */
export function createDenialCache(maximum: number): DenialCache {
  const denials = new Map<string, Denial>();
  return {
    find(claim, nowUs) {
      const { measure, amount, key } = claim;
      if (measure.kind === 'places') return undefined;
      if (isNever(claim)) return { claim, retryAfterMs: undefined };
      const name = `${measure.kind} ${key}`;
      const known = denials.get(name);
      if (known === undefined) return undefined;
      if (nowUs >= known.trustedUntilUs) {
        denials.delete(name);
        return undefined;
      }
      if (amount < known.amount || !isSame(measure, known.measure)) return undefined;
      const more =
        measure.kind === 'rate' ? chargeUs(measure, amount)! - chargeUs(measure, known.amount)! : 0;
      return { claim, retryAfterMs: Math.ceil((known.untilUs + more - nowUs) / 1000) };
    },
    note(claim, waitUs, askedAtUs) {
      const { measure, amount, key } = claim;
      // What waits for less than a millisecond is over before anybody asks again.
      if (measure.kind === 'places' || waitUs < 1000) return;
      const name = `${measure.kind} ${key}`;
      denials.delete(name);
      if (denials.size >= maximum) {
        for (const oldest of denials.keys()) {
          denials.delete(oldest);
          break;
        }
      }
      denials.set(name, {
        measure,
        amount,
        untilUs: askedAtUs + waitUs,
        trustedUntilUs: askedAtUs + Math.min(waitUs, longestTrustUs),
      });
    },
    get size() {
      return denials.size;
    },
  };
}

/** Whether the claim asks for more than there ever is. */
export function isNever({ measure, amount }: Claim): boolean {
  if (measure.kind === 'rate') return chargeUs(measure, amount) === undefined;
  return measure.kind === 'window' && amount > measure.most;
}

/** A reload may change what a limit means under the same key. */
function isSame(one: Measure, other: Measure): boolean {
  if (one.kind === 'rate')
    return other.kind === 'rate' && one.costUs === other.costUs && one.toleranceUs === other.toleranceUs;
  return (
    one.kind === 'window' && other.kind === 'window' && one.most === other.most && one.period === other.period
  );
}
