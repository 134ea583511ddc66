import type { Claim, Left, LimitStore, Refused, Taken } from '../limits/contract.ts';
import type { SentTaken } from './ipc-limit-store.ts';

/** The primary's side of the limits of all its workers. */
export interface ServedLimits {
  take(worker: number, body: unknown): SentTaken | Promise<SentTaken>;
  release(worker: number, body: unknown): void;
  /** A worker is gone: what it held is given back. */
  gone(worker: number): void;
}

/**
 * Counts for workers. Each call holds its places under the name that its worker gave it, so a worker that dies holds
 * none: the primary knows what was held through whom.
 *
 * @param nowUs monotonic microseconds of this process: those of two processes do not compare
 */
export function serveLimits(store: LimitStore, clock: { nowUs(): number; time(): number }): ServedLimits {
  const held = new Map<number, Map<string, readonly Claim[]>>();

  function keep(worker: number, holder: string, taken: Taken): void {
    if (!('held' in taken) || taken.held.length === 0) return;
    const ofWorker = held.get(worker) ?? new Map<string, readonly Claim[]>();
    held.set(worker, ofWorker);
    ofWorker.set(holder, [...(ofWorker.get(holder) ?? []), ...taken.held]);
  }

  return {
    take(worker, body) {
      const [claims, holder] = body as [readonly Claim[], unknown];
      if (!Array.isArray(claims) || typeof holder !== 'string') throw new TypeError('claims of nobody');
      const taking = store.take(claims, holder, clock.nowUs(), clock.time());
      const conclude = (taken: Taken): SentTaken => {
        keep(worker, holder, taken);
        return sentOf(taken, claims);
      };
      return taking instanceof Promise ? taking.then(conclude) : conclude(taking);
    },
    release(worker, body) {
      const [holder] = body as [string];
      const ofWorker = held.get(worker);
      const claims = ofWorker?.get(holder);
      if (claims === undefined) return;
      ofWorker?.delete(holder);
      store.release(claims, holder);
    },
    gone(worker) {
      const ofWorker = held.get(worker);
      held.delete(worker);
      for (const [holder, claims] of ofWorker ?? []) store.release(claims, holder);
    },
  };
}

function sentOf(taken: Taken, claims: readonly Claim[]): SentTaken {
  const refusal = ({ claim, retryAfterMs }: Refused) => ({ at: claims.indexOf(claim), retryAfterMs });
  if ('unavailable' in taken) return taken;
  const shadow = taken.shadow.map(refusal);
  if (!taken.ok) return { ok: false, refused: taken.refused.map(refusal), shadow };
  return {
    ok: true,
    shadow,
    left: taken.left.map(({ claim, ...rest }: Left) => ({ ...rest, at: claims.indexOf(claim) })),
    held: taken.held.map((claim) => claims.indexOf(claim)),
  };
}
