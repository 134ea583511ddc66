/**
 * The generic cell rate algorithm: one number per key, exact to the microsecond, no window to straddle.
 *
 * Times are whole microseconds, so that no rounding ever adds up to an extra call.
 */
export interface GcraRate {
  /** Microseconds that one call costs. */
  readonly cost: number;
  /** Microseconds that calls may run ahead: (burst - 1) calls. */
  readonly tolerance: number;
}

export type GcraAnswer =
  /** `tat`: the theoretical arrival time to keep for the key, in microseconds. */
  | { readonly admit: true; readonly tat: number }
  /** Waiting `retryAfterMs` whole milliseconds admits, one less does not. */
  | { readonly admit: false; readonly retryAfterMs: number };

/**
 * A rate of `count` calls in `periodMs`, of which `burst` may come at once. The cost is rounded up: never more than
 * `burst + t * count / periodMs` calls are admitted in any span of t milliseconds.
 */
export function gcraRate(count: number, periodMs: number, burst: number): GcraRate {
  const cost = Math.max(1, Math.ceil((periodMs * 1000) / count));
  return { cost, tolerance: cost * (Math.max(1, burst) - 1) };
}

/**
 * Whether one more call may pass. Changes nothing: the caller stores `tat` once every limit has agreed.
 *
 * @param tat what is kept for the key, undefined for a key that is not known or was forgotten after its TAT
 * @param nowUs monotonic microseconds, whole
 */
export function askGcra(tat: number | undefined, nowUs: number, rate: GcraRate): GcraAnswer {
  const from = tat === undefined || tat < nowUs ? nowUs : tat;
  const allowedAt = from - rate.tolerance;
  if (allowedAt > nowUs) return { admit: false, retryAfterMs: Math.ceil((allowedAt - nowUs) / 1000) };
  return { admit: true, tat: from + rate.cost };
}
