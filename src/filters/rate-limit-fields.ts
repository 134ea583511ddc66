import type { Left, Refused } from '../limits/contract.ts';
import type { LimitClaim } from './limit-claims.ts';

/**
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10): what is left of the rates and quotas that
 * count this caller alone. Limits that callers share are not told: what is left of them is what others did. Budgets are
 * not told either, for their units are no requests.
 */
export function fieldsOfLeft(
  left: readonly Left[],
  claims: readonly LimitClaim[],
): Readonly<Record<string, string>> {
  return fieldsOf(
    left.map(({ claim, remaining, resetMs }) => ({ key: claim.key, remaining, resetMs })),
    claims,
  );
}

/** The same for a call that was refused: of the limit that is told. */
export function fieldsOfRefusal(
  { claim, retryAfterMs }: Refused,
  claims: readonly LimitClaim[],
): Readonly<Record<string, string>> {
  if (retryAfterMs === undefined) return none;
  return fieldsOf([{ key: claim.key, remaining: 0, resetMs: retryAfterMs }], claims);
}

/** Each item is some forty bytes. 16, because no caller reads more. */
const mostItems = 16;

const none: Readonly<Record<string, string>> = Object.freeze({});
const seconds = { hour: 3600, day: 86_400 } as const;

function fieldsOf(
  standings: readonly { readonly key: string; readonly remaining: number; readonly resetMs: number }[],
  claims: readonly LimitClaim[],
): Readonly<Record<string, string>> {
  const limits: string[] = [];
  const policies: string[] = [];
  for (const { key, remaining, resetMs } of standings) {
    const claim = claims.find((one) => one.key === key);
    if (claim?.own !== true || limits.length === mostItems) continue;
    const policy = policyOf(claim);
    if (policy === undefined) continue;
    const name = nameOf(claim);
    limits.push(`${name};r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
    policies.push(`${name}${policy}`);
  }
  return limits.length === 0
    ? none
    : { ratelimit: limits.join(', '), 'ratelimit-policy': policies.join(', ') };
}

/** A string of RFC 9651: names of limits hold neither quotes nor backslashes. A limit may have a rate and a quota. */
function nameOf({ limit, measure }: LimitClaim): string {
  return measure.kind === 'window' ? `"${limit} ${measure.period}"` : `"${limit}"`;
}

function policyOf({ what, measure }: LimitClaim): string | undefined {
  if (measure.kind === 'rate') {
    const burstUs = measure.toleranceUs + measure.costUs;
    return `;q=${Math.round(burstUs / measure.costUs)};w=${Math.ceil(burstUs / 1_000_000)}`;
  }
  if (what !== 'quota' || measure.kind !== 'window') return undefined;
  const quota = `;q=${Math.floor(measure.most / 1000)}`;
  // Months differ in length.
  return measure.period === 'month' ? quota : `${quota};w=${seconds[measure.period]}`;
}
