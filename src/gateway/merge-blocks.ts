import type { BlockedAddress } from '../listener/blocks.ts';

/**
 * One list of what several workers have blocked, each for itself: an address stands in it once, for as long as it is blocked
 * anywhere, with all that led to it. Those that stay longest first.
 */
export function mergeBlocks(lists: readonly (readonly BlockedAddress[])[]): readonly BlockedAddress[] {
  const merged = new Map<string, BlockedAddress>();
  for (const block of lists.flat()) {
    const known = merged.get(block.address);
    merged.set(block.address, known === undefined ? block : both(known, block));
  }
  return [...merged.values()].sort((a, b) => b.seconds - a.seconds);
}

function both(one: BlockedAddress, other: BlockedAddress): BlockedAddress {
  const offences = { ...one.offences };
  for (const [kind, count] of Object.entries(other.offences)) {
    const known = kind as keyof typeof offences;
    offences[known] = (offences[known] ?? 0) + count;
  }
  return {
    address: one.address,
    seconds: Math.max(one.seconds, other.seconds),
    times: Math.max(one.times, other.times),
    offences,
  };
}
