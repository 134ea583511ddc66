import { type Block, readAddress, within } from '../addresses/address-block.ts';

/** Whether many callers stand behind an address, as configuration says. */
export function isTrusted(address: string, trusted: readonly Block[]): boolean {
  if (trusted.length === 0) return false;
  // A zone says which link, not which address.
  const block = readAddress(address.split('%', 1)[0]!);
  return block !== undefined && trusted.some((outer) => within(block, outer));
}
