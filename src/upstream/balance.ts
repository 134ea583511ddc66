/**
 * Where the next call goes: of two picked at random the one with less to do; where both have the same, either.
 *
 * Two and not all: replicas of the gateway that each ask all would send their next calls to the same idle endpoint.
 *
 * @param loads calls under way, by place; at least one
 * @param random a number from 0 up to 1
 * @returns a place in `loads`
 */
export function leastLoaded(loads: readonly number[], random: () => number): number {
  if (loads.length < 2) return 0;
  const one = Math.floor(random() * loads.length);
  const shifted = Math.floor(random() * (loads.length - 1));
  const other = shifted < one ? shifted : shifted + 1;
  const difference = loads[one]! - loads[other]!;
  return difference < 0 || (difference === 0 && random() < 0.5) ? one : other;
}
