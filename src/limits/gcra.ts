import { type Measure, unit } from './contract.ts';

/**
 * The generic cell rate algorithm: one number per key, exact to the microsecond, no window to straddle.
 *
 * Times are whole microseconds, so that no rounding ever adds up to an extra call.
 */
export type RateMeasure = Extract<Measure, { kind: 'rate' }>;

export type GcraAnswer =
  /** `tat`: the theoretical arrival time to keep for the key, in microseconds. */
  | { readonly admit: true; readonly tat: number }
  /** Waiting `retryAfterMs` whole milliseconds admits, one less does not; undefined where no waiting ever does. */
  | { readonly admit: false; readonly retryAfterMs: number | undefined };

/**
 * A rate of `count` units in `periodMs`, of which `burst` may come at once. The cost is rounded up: never more than
 * `burst + t * count / periodMs` units are admitted in any span of t milliseconds.
 */
export function gcraRate(count: number, periodMs: number, burst: number): RateMeasure {
  const costUs = Math.max(1, Math.ceil((periodMs * 1000) / count));
  return { kind: 'rate', costUs, toleranceUs: costUs * (Math.max(1, burst) - 1) };
}

/**
 * What an amount costs, in whole microseconds, rounded up.
 *
 * @param amount thousandths of a unit
 * @returns undefined where it is more than the whole burst: it is never admitted
 */
export function chargeUs({ costUs, toleranceUs }: RateMeasure, amount: number): number | undefined {
  const whole = Math.floor(amount / unit);
  // Apart, so that no product leaves the numbers that a double holds exactly.
  const charge = whole * costUs + Math.ceil(((amount - whole * unit) * costUs) / unit);
  return charge > toleranceUs + costUs ? undefined : charge;
}

/**
 * Whether an amount may pass. Changes nothing: the caller stores `tat` once every limit has agreed.
 *
 * @param tat what is kept for the key, undefined for a key that is not known or was forgotten after its TAT
 * @param nowUs monotonic microseconds, whole
 * @param amount thousandths of a unit
 */
export function askGcra(
  tat: number | undefined,
  nowUs: number,
  rate: RateMeasure,
  amount: number = unit,
): GcraAnswer {
  const charge = chargeUs(rate, amount);
  if (charge === undefined) return { admit: false, retryAfterMs: undefined };
  const from = tat === undefined || tat < nowUs ? nowUs : tat;
  const allowedAt = from + charge - (rate.toleranceUs + rate.costUs);
  // A charge of nothing waits for nobody, not even where a rate in debt would.
  if (charge > 0 && allowedAt > nowUs) {
    return { admit: false, retryAfterMs: Math.ceil((allowedAt - nowUs) / 1000) };
  }
  return { admit: true, tat: from + charge };
}
