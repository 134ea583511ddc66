import { type Block, embeddedV4, readAddress, readBlock, within } from '../addresses/address-block.ts';
import { isSpecialBlock, specialRange } from '../addresses/address-ranges.ts';

/**
 * Forms of IPv6 that are another spelling of an IPv4 address, or a tunnel to one. They are refused whatever is
 * configured: whoever means the IPv4 address writes it.
 */
const spellings: ReadonlySet<string> = new Set([
  'ipv4-mapped',
  'ipv4-translated',
  'ipv4-compatible',
  'nat64-local',
  'teredo',
  '6to4',
]);

/** Never a host to speak to, also where a block around them is allowed. */
const neverDialled: ReadonlySet<string> = new Set([
  // Its answers are the credentials of the whole machine.
  'metadata-service',
  'unspecified',
  'broadcast',
  'multicast',
]);

/** Reads the blocks of `outbound.private`. @throws TypeError where one is none; the options schema refused it before */
export function readPrivateBlocks(texts: readonly string[]): readonly Block[] {
  return texts.map((text) => {
    const block = readBlock(text);
    if (block === undefined) throw new TypeError(`not an address block: ${text}`);
    return block;
  });
}

/** Why a block cannot stand in `outbound.private`; undefined where it can. */
export function privateBlockProblem(block: Block): string | undefined {
  // A block with public addresses in it would open http to them, and be a guess at what is private.
  if (!isSpecialBlock(block)) return 'is not within one range that is set apart from public addresses';
  const name = specialRange(block);
  if (name !== undefined && block.prefix === 16 * block.words.length && neverDialled.has(name)) {
    return `is never dialled (${name})`;
  }
  return name !== undefined && spellings.has(name)
    ? `is another spelling of IPv4 addresses (${name}): write those`
    : undefined;
}

/** What an address is to the dialer. */
export type AddressVerdict =
  | { readonly ok: true /** Allowed by `outbound.private`. */; readonly isPrivate: boolean }
  | { readonly ok: false /** Stable word in kebab case. */; readonly reason: string };

/**
 * Judges an address as a name service or a URL gave it.
 *
 * @param text one address, in any spelling that name services answer with
 */
export function judgeAddress(text: string, allowed: readonly Block[]): AddressVerdict {
  const address = readAddress(text);
  return address === undefined ? { ok: false, reason: 'not-an-address' } : judge(address, allowed);
}

function judge(address: Block, allowed: readonly Block[]): AddressVerdict {
  const special = specialRange(address);
  if (special === undefined) return { ok: true, isPrivate: false };
  if (neverDialled.has(special) || spellings.has(special)) return { ok: false, reason: special };
  if (!allowed.some((block) => within(address, block))) return { ok: false, reason: special };
  // Behind NAT64 stands an IPv4 address, which must be one to dial itself.
  if (special === 'nat64') {
    const inner = judge(embeddedV4(address.words, 6), allowed);
    if (!inner.ok) return inner;
  }
  return { ok: true, isPrivate: true };
}
