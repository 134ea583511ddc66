import { type Block, embeddedV4, readAddress } from '../../addresses/address-block.ts';
import { specialRange } from '../../addresses/address-ranges.ts';

/** Whether an address is one that anybody on the internet may reach, or what else it is. */
export type AddressClass = { readonly kind: 'public' } | { readonly kind: 'special'; readonly name: string };

const isPublic: AddressClass = { kind: 'public' };

/**
 * Says what an address is by the IANA special-purpose registries: only globally reachable unicast is public.
 *
 * An IPv6 address that carries an IPv4 address is special, named for what it carries where that is special too. The
 * one exception is NAT64's well-known prefix (64:ff9b::/96) around a public address: networks with DNS64 give that out
 * for every host that has no IPv6.
 *
 * @param text dotted decimal, or IPv6 in any valid spelling, without brackets
 * @returns undefined where the text is neither: octal, hexadecimal, short and decimal forms of IPv4, and zone ids
 */
export function classifyAddress(text: string): AddressClass | undefined {
  const address = readAddress(text);
  return address === undefined ? undefined : classifyBlock(address);
}

/** The same for an address that has been read already. */
export function classifyBlock(address: Block): AddressClass {
  const name = specialRange(address);
  if (name === undefined) {
    return isIsatap(address) ? { kind: 'special', name: 'isatap' } : isPublic;
  }
  const carried = carriedAddress(address, name);
  if (carried === undefined) return { kind: 'special', name };
  const inner = specialRange(carried);
  if (inner !== undefined) return { kind: 'special', name: inner };
  return name === 'nat64' ? isPublic : { kind: 'special', name };
}

/** Whether an IPv6 address is a way of writing an IPv4 address, or of being routed to one. */
export function carriesV4(address: Block): boolean {
  const name = address.family === 6 ? specialRange(address) : undefined;
  return isIsatap(address) || (name !== undefined && carriedAddress(address, name) !== undefined);
}

function carriedAddress({ family, words }: Block, name: string): Block | undefined {
  if (family === 4) return undefined;
  switch (name) {
    case 'ipv4-mapped':
    case 'ipv4-translated':
    case 'ipv4-compatible':
    case 'nat64':
    case 'nat64-local':
      return embeddedV4(words, 6);
    case '6to4':
      return embeddedV4(words, 1);
    case 'teredo':
      // RFC 4380: the client's address with all bits turned.
      return embeddedV4(
        words.map((word) => word ^ 0xffff),
        6,
      );
    default:
      return undefined;
  }
}

/** RFC 5214: an interface id that makes a router send the packet to the IPv4 address in it, under any prefix. */
function isIsatap({ family, words }: Block): boolean {
  return family === 6 && words[5] === 0x5efe && (words[4]! & 0xfdff) === 0;
}
