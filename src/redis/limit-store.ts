import type { Claim, Left, Refused, Taken } from '../limits/contract.ts';
import { createDenialCache } from '../limits/denial-cache.ts';
import { chargeUs } from '../limits/gcra.ts';
import { createLeases } from '../limits/leases.ts';
import { StoreFault } from '../limits/store-fault.ts';
import type { SharedCounts } from '../limits/store-loss.ts';
import { tellsMore } from '../limits/worst.ts';
import { remembered } from '../values/remembered.ts';
import type { StoreKeys } from './keys.ts';
import type { RedisLink } from './link.ts';
import { createPlaceKeeper } from './place-keeper.ts';
import { createScript } from './scripts.ts';
import { takeScript } from './take-script.ts';

export interface RedisLimitOptions {
  /** Milliseconds. */
  readonly placeLease: number;
  readonly replicas: number;
  readonly leases: { readonly enabled: boolean };
}

export interface RedisLimitDependencies {
  readonly link: Pick<RedisLink, 'send'>;
  readonly keys: StoreKeys;
  /** Monotonic microseconds, whole. */
  readonly nowUs: () => number;
  /** For tests that must say what time it is on the server. */
  readonly clock?: string;
}

/** 10,000 refusals and 10,000 busy keys: a few megabytes. Beyond them the store is asked. */
const mostRemembered = 10_000;

/** Numbers of one claim in the answer of the script. */
const perClaim = 5;

/**
 * Counts in a Redis that all replicas share: one question for all limits of a call, answered in one step by the server's
 * clock. What it knows for certain it answers itself: a refusal that stands, a unit that was taken in advance.
 *
 * `take` rejects with a StoreFault where the store gave no answer that counts; store-loss.ts stands in front of it.
 */
export function createRedisLimitStore(
  options: RedisLimitOptions,
  deps: RedisLimitDependencies,
): SharedCounts {
  const { link, keys, nowUs } = deps;
  const script = createScript(takeScript(deps.clock), link);
  const denials = createDenialCache(mostRemembered);
  const leases = options.leases.enabled ? createLeases(options.replicas, mostRemembered) : undefined;
  const names = {
    rate: remembered((key) => keys.keyOf('rate', key)),
    hour: remembered((key) => keys.keyOf('hour', key)),
    day: remembered((key) => keys.keyOf('day', key)),
    month: remembered((key) => keys.keyOf('month', key)),
    places: remembered((key) => keys.keyOf('places', key)),
  };
  // By period: numbers of windows mean nothing under another one.
  const keyOf = ({ key, measure }: Claim): string =>
    names[measure.kind === 'window' ? measure.period : measure.kind](key);
  const places = createPlaceKeeper(options.placeLease, link);

  /** Refusals that the store would repeat. Empty `refused`: it must be asked. */
  const known = (claims: readonly Claim[], now: number): { refused: Refused[]; shadow: Refused[] } => {
    const refused: Refused[] = [];
    const shadow: Refused[] = [];
    for (const claim of claims) {
      if (leases?.covers(claim, now) === true) continue;
      const found = denials.find(claim, now);
      if (found !== undefined) (claim.enforced ? refused : shadow).push(found);
    }
    return { refused, shadow };
  };

  async function ask(claims: readonly Claim[], holder: string, askedAt: number): Promise<Taken> {
    const wants = claims.map((claim) => leases?.want(claim, askedAt) ?? 0);
    const values = [holder, String(options.placeLease)];
    for (const [index, claim] of claims.entries()) values.push(...argumentsOf(claim, wants[index]!));
    let answer: readonly number[];
    try {
      answer = numbersOf(await script.run(claims.map(keyOf), values), claims.length);
    } catch (error) {
      for (const [index, claim] of claims.entries()) if (wants[index]! > 0) leases?.got(claim, 0, askedAt);
      throw error;
    }
    const refused: Refused[] = [];
    const shadow: Refused[] = [];
    const left: Left[] = [];
    const held: Claim[] = [];
    const charged = answer[0] === 1;
    for (const [index, claim] of claims.entries()) {
      const [fits, waitUs, remaining, resetUs, given] = answer.slice(1 + index * perClaim) as [
        number,
        number,
        number,
        number,
        number,
      ];
      if (wants[index]! > 0) leases?.got(claim, charged ? given : 0, askedAt);
      if (fits === 0) {
        const retryAfterMs = waitUs < 0 ? undefined : Math.ceil(waitUs / 1000);
        (claim.enforced ? refused : shadow).push({ claim, retryAfterMs });
        if (waitUs > 0) denials.note(claim, waitUs, askedAt);
      } else if (claim.measure.kind === 'places') {
        if (charged) held.push(claim);
      } else if (claim.enforced) {
        left.push({ claim, remaining, resetMs: Math.ceil(resetUs / 1000) });
      }
    }
    if (!charged) return { ok: false, refused, shadow };
    for (const claim of held) places.hold(keyOf(claim), holder);
    return { ok: true, shadow, left, held };
  }

  return {
    peek: (claims) => longest(known(claims, nowUs()).refused),
    take(claims, holder) {
      if (claims.length === 0) return { ok: true, shadow: [], left: [], held: [] };
      const now = nowUs();
      const { refused, shadow } = known(claims, now);
      if (refused.length > 0) return { ok: false, refused, shadow };
      if (leases?.spend(claims, now) === true) return { ok: true, shadow: [], left: [], held: [] };
      const place = claims.find(({ measure }) => measure.kind === 'places');
      if (place !== undefined && places.isFull) return { ok: false, unavailable: 'full', limit: place.limit };
      return ask(claims, holder, now);
    },
    release(held, holder) {
      for (const claim of held) places.giveBack(keyOf(claim), holder);
    },
    async probe() {
      // A real write, because a server that is full or a replica answers everything else.
      await script.run([keys.keyOf('rate', 'probe')], ['', '0', 'r', '0', '1', '1000', '0', '1']);
    },
    get size() {
      return denials.size + (leases?.size ?? 0) + places.size;
    },
    close: () => places.close(),
  };
}

function longest(refused: readonly Refused[]): Refused | undefined {
  let worst: Refused | undefined;
  for (const one of refused) if (worst === undefined || tellsMore(one, worst)) worst = one;
  return worst;
}

function argumentsOf({ measure, amount, enforced }: Claim, want: number): readonly string[] {
  const mode = enforced ? '1' : '0';
  switch (measure.kind) {
    case 'rate': {
      const full = measure.toleranceUs + measure.costUs;
      const charge = chargeUs(measure, amount) ?? -1;
      return ['r', mode, String(charge), String(full), String(want), String(measure.costUs)];
    }
    case 'window':
      return ['w', mode, String(amount), String(measure.most), measure.period, '0'];
    case 'places':
      return ['p', mode, String(measure.most), '0', '0', '0'];
  }
}

function numbersOf(answer: unknown, claims: number): readonly number[] {
  if (
    !Array.isArray(answer) ||
    answer.length !== 1 + claims * perClaim ||
    !answer.every(Number.isSafeInteger)
  )
    throw new StoreFault('lost', 'the store answered what no store of this kind answers');
  return answer as number[];
}
