import type { Claim } from './contract.ts';
import { chargeUs, type RateMeasure } from './gcra.ts';

/**
 * Units of busy rates that this process has taken from a shared store in advance, to serve calls without asking.
 *
 * The store has charged them already, so no lease ever adds to the rate itself: what it adds is that units charged
 * earlier are used later. At any moment all processes together hold at most what the rate gives in 20 ms, so that any
 * second admits at most 2 % more than the rate and its burst. A lease ends after a second, and what was not used of it is
 * lost: at most one lease a second, again 2 %.
 */
export interface Leases {
  /** Charges all of these claims to leases, or none. */
  spend(claims: readonly Claim[], nowUs: number): boolean;
  /** Whether a lease covers this claim. */
  covers(claim: Claim, nowUs: number): boolean;
  /**
   * Notes that the claim is about to be asked of the store.
   *
   * @returns units to take in advance; then `got` must follow
   */
  want(claim: Claim, nowUs: number): number;
  /**
   * @param units what the store gave in advance; 0 where it gave none, or did not answer
   * @param askedAtUs when it was asked
   */
  got(claim: Claim, units: number, askedAtUs: number): void;
  readonly size: number;
}

/** 20 ms of a rate: 2 % of any second. */
const shareUs = 20_000;
/** 1 s, see above. */
const termUs = 1_000_000;
/** A tenth of what was asked in a second: used up in some 100 ms, so that little is ever lost. */
const partOfDemand = 10;
/** How many keys one call looks at to find one that is idle, where all are in use. */
const lookedAtWhenFull = 16;

interface Lease {
  readonly measure: RateMeasure;
  /** Microseconds of the rate that are held. */
  heldUs: number;
  endsUs: number;
  asking: boolean;
  termStartUs: number;
  demand: number;
  demandBefore: number;
}

/**
 * @param replicas processes that are expected to share the store: each holds its part
 * @param maximum keys for which demand is noted; further ones are asked for one by one
 */
export function createLeases(replicas: number, maximum: number): Leases {
  const leases = new Map<string, Lease>();
  const most = ({ costUs }: RateMeasure): number => Math.floor(shareUs / (replicas * costUs));

  const find = (claim: Claim, nowUs: number): { lease: Lease; charge: number } | undefined => {
    const { measure } = claim;
    if (measure.kind !== 'rate') return undefined;
    const lease = leases.get(claim.key);
    if (lease === undefined || lease.endsUs <= nowUs || !isSame(lease.measure, measure)) return undefined;
    const charge = chargeUs(measure, claim.amount);
    return charge === undefined || charge > lease.heldUs ? undefined : { lease, charge };
  };
  const noteDemand = (lease: Lease, nowUs: number): void => {
    const terms = Math.floor((nowUs - lease.termStartUs) / termUs);
    if (terms > 0) {
      lease.demandBefore = terms === 1 ? lease.demand : 0;
      lease.demand = 0;
      lease.termStartUs += terms * termUs;
    }
    lease.demand += 1;
  };
  const hasRoom = (nowUs: number): boolean => {
    if (leases.size < maximum) return true;
    let looked = 0;
    for (const [key, { termStartUs }] of leases) {
      if (nowUs - termStartUs > 2 * termUs) leases.delete(key);
      looked += 1;
      if (looked >= lookedAtWhenFull) break;
    }
    return leases.size < maximum;
  };

  return {
    covers: (claim, nowUs) => find(claim, nowUs) !== undefined,
    spend(claims, nowUs) {
      const found: { lease: Lease; charge: number }[] = [];
      for (const claim of claims) {
        const one = find(claim, nowUs);
        if (one === undefined) return false;
        found.push(one);
      }
      for (const { lease, charge } of found) {
        lease.heldUs -= charge;
        noteDemand(lease, nowUs);
      }
      return found.length > 0;
    },
    want(claim, nowUs) {
      const { measure, key } = claim;
      if (measure.kind !== 'rate' || most(measure) < 1) return 0;
      let lease = leases.get(key);
      if (lease === undefined || !isSame(lease.measure, measure)) {
        if (lease === undefined && !hasRoom(nowUs)) return 0;
        lease = {
          measure,
          heldUs: 0,
          endsUs: 0,
          asking: false,
          termStartUs: nowUs,
          demand: 0,
          demandBefore: 0,
        };
        leases.set(key, lease);
      }
      noteDemand(lease, nowUs);
      if (lease.endsUs <= nowUs) lease.heldUs = 0;
      // One question at a time asks for more, or each of a hundred calls on their way would.
      if (lease.asking) return 0;
      const room = most(measure) - Math.ceil(lease.heldUs / measure.costUs);
      const wanted = Math.min(room, Math.floor(Math.max(lease.demand, lease.demandBefore) / partOfDemand));
      if (wanted < 1) return 0;
      lease.asking = true;
      return wanted;
    },
    got(claim, units, askedAtUs) {
      const lease = leases.get(claim.key);
      if (lease === undefined || claim.measure.kind !== 'rate' || !isSame(lease.measure, claim.measure))
        return;
      lease.asking = false;
      if (units < 1) return;
      const { costUs } = claim.measure;
      if (lease.endsUs <= askedAtUs) lease.heldUs = 0;
      // An answer that came late may find that its question was repeated: what is too much is lost.
      lease.heldUs = Math.min(most(claim.measure) * costUs, lease.heldUs + units * costUs);
      lease.endsUs = askedAtUs + termUs;
    },
    get size() {
      return leases.size;
    },
  };
}

function isSame(one: RateMeasure, other: RateMeasure): boolean {
  return one.costUs === other.costUs && one.toleranceUs === other.toleranceUs;
}
