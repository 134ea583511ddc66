import type { Refused } from './contract.ts';

/** Whether one refusal is to be told rather than another: the longest wait, and before all the one that no wait ends. */
export function tellsMore(one: Refused, other: Refused): boolean {
  return waitOf(one) > waitOf(other);
}

function waitOf({ claim, retryAfterMs }: Refused): number {
  // A place may be free again any moment: whatever has a time says more.
  if (claim.measure.kind === 'places') return -1;
  return retryAfterMs ?? Number.POSITIVE_INFINITY;
}
