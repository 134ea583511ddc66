/**
 * What a policy's limits ask of whoever counts: the memory of this process, or a store that replicas share.
 *
 * All limits of one call are asked at once and answered at once: either every enforced one admits it and all are
 * charged, or none is.
 *
 * Amounts are whole thousandths of a unit, so that sums of fractions are exact and every store counts alike.
 */

/** What a plain call costs: one unit. */
export const unit = 1000;

/** How one limit counts. */
export type Measure =
  /** The generic cell rate algorithm. Whole microseconds. */
  | {
      readonly kind: 'rate';
      /** What one unit costs. What a claim costs is told by `chargeUs` of gcra.ts. */
      readonly costUs: number;
      /**
       * How far units may run ahead: (burst - 1) units, so that the whole burst is `toleranceUs + costUs`. A claim that
       * costs more than that is never admitted.
       */
      readonly toleranceUs: number;
    }
  /**
   * A sum in a calendar window, UTC: each hour, day or month begins at nought. `most` in thousandths. The latest window
   * that was seen for a key stands: a clock that is set back gives no fresh one.
   */
  | { readonly kind: 'window'; readonly period: 'hour' | 'day' | 'month'; readonly most: number }
  /** Places that are held until they are given back. */
  | { readonly kind: 'places'; readonly most: number };

/** What happens to a limit while the shared store cannot be asked. */
export type OnStoreLoss = 'local' | 'deny' | 'allow';

/** The claim of one limit on one call. */
export interface Claim {
  /** Name of the limit. */
  readonly limit: string;
  /**
   * Under what the limit counts this call. Injective: no principal, tool or upstream can be named so that its key runs
   * into another's. It holds names in the clear; a store outside this process gets a MAC of it.
   */
  readonly key: string;
  readonly measure: Measure;
  /**
   * Thousandths of a unit: whole, not negative, safe. {@link unit} for a plain call, its cost or its amount otherwise; of
   * `places` always {@link unit}, one place.
   */
  readonly amount: number;
  /** False: charged by itself where it fits, told of where it would refuse, and it refuses nothing. */
  readonly enforced: boolean;
  readonly onStoreLoss: OnStoreLoss;
  /**
   * Who makes the call: the principal's canonical name. Where keys take room, a new key takes it of this caller's share.
   * Absent: of nobody's.
   */
  readonly owner?: string;
}

/** Why a claim was refused. */
export interface Refused {
  readonly claim: Claim;
  /**
   * Whole milliseconds after which the same call may pass; undefined where nobody can say, as for places, and where it
   * never will: it asks for more than all that there ever is.
   */
  readonly retryAfterMs: number | undefined;
}

/** What remains of one limit after the call was charged, for `RateLimit` fields. */
export interface Left {
  /** An enforced claim of a rate or a window. */
  readonly claim: Claim;
  /** Whole units, rounded down, not negative. */
  readonly remaining: number;
  /** Whole milliseconds until all units are there again. */
  readonly resetMs: number;
}

export type Taken =
  /**
   * All enforced limits agreed. `held`: claims of places that were taken, to be given back by `release`. `left`: empty is
   * allowed where it cannot be told.
   */
  | {
      readonly ok: true;
      readonly shadow: readonly Refused[];
      readonly left: readonly Left[];
      readonly held: readonly Claim[];
    }
  /** `refused` is not empty; nothing was charged and no place is held. */
  | { readonly ok: false; readonly refused: readonly Refused[]; readonly shadow: readonly Refused[] }
  /** Nobody can count for an enforced limit: no room for its key, or the store is lost and it says `deny`. Nothing was charged. */
  | { readonly ok: false; readonly unavailable: 'full' | 'lost'; readonly limit: string };

/** Who counts. */
export interface LimitStore {
  /**
   * What is known here and now without asking anybody: a refusal that `take` would certainly repeat. Charges nothing.
   *
   * @param nowUs monotonic microseconds, whole
   * @param time milliseconds since the epoch, of the same moment
   */
  peek(claims: readonly Claim[], nowUs: number, time: number): Refused | undefined;
  /**
   * Charges all enforced claims or none. Synchronous where the answer is known in this process. Never rejects.
   *
   * @param claims keys of one kind of measure are distinct
   * @param holder unguessable name of the exchange that holds places
   * @param nowUs monotonic microseconds, whole
   * @param time milliseconds since the epoch, of the same moment: for calendar windows
   */
  take(claims: readonly Claim[], holder: string, nowUs: number, time: number): Taken | Promise<Taken>;
  /** Gives places back. Called once for each `take` that held any. Never throws. */
  release(held: readonly Claim[], holder: string): void;
  /** Keys that are remembered in this process. */
  readonly size: number;
  close(): Promise<void> | void;
}

/** What a store tells operators, and no client. */
export type StoreEvent =
  /** No room for more keys. */
  | { readonly kind: 'full'; readonly limit: string }
  /** A limit was decided without the shared store, by its `onStoreLoss`. */
  | { readonly kind: 'decided-without-store'; readonly limit: string; readonly by: OnStoreLoss }
  | { readonly kind: 'store-lost'; readonly cause: unknown }
  | { readonly kind: 'store-back'; readonly lostMs: number };
