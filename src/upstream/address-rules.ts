import { type Block, embeddedV4, readAddress } from '../addresses/address-block.ts';
import { specialRange } from '../addresses/address-ranges.ts';

/** Which addresses the name in an upstream's URL may have. An address that stands in the URL itself is not asked. */
export type AddressRule = 'auto' | 'public' | 'private' | 'any';

/** What an address is to an upstream. `near`: this machine or this link. */
export type AddressKind = 'public' | 'private' | 'near' | 'never';

/**
 * Never an MCP server behind a name, whatever is configured: the credentials of the whole machine, no host at all, or a
 * disguise of an IPv4 address.
 */
const never: ReadonlySet<string> = new Set([
  'metadata-service',
  'unspecified',
  'this-network',
  'broadcast',
  'multicast',
  'ipv4-mapped',
  'ipv4-translated',
  'ipv4-compatible',
  'nat64-local',
  'teredo',
  '6to4',
]);

export function kindOfAddress(text: string): AddressKind {
  const address = readAddress(text);
  return address === undefined ? 'never' : kindOf(address);
}

function kindOf(address: Block): AddressKind {
  const range = specialRange(address);
  if (range === undefined) return 'public';
  if (never.has(range)) return 'never';
  if (range === 'loopback' || range === 'link-local') return 'near';
  // Networks without IPv4 reach it so: what counts is the address inside.
  return range === 'nat64' ? kindOf(embeddedV4(address.words, 6)) : 'private';
}

/** Names that nobody can register: RFC 6761, 6762, 8375, and ICANN's `internal`. `svc`: cluster names cut short. */
const ownEndings: readonly string[] = ['localhost', 'local', 'internal', 'home.arpa', 'localdomain', 'svc'];

/** Whether a name is this network's own: without a dot, or under an ending that no registry gives out. */
export function isOwnName(name: string): boolean {
  const bare = name.toLowerCase().replace(/\.$/, '');
  return !bare.includes('.') || ownEndings.some((ending) => bare.endsWith(`.${ending}`));
}

export interface ResolvedName {
  readonly name: string;
  /** At least one. */
  readonly addresses: readonly string[];
  /** The name had public addresses before. */
  readonly wasPublic: boolean;
}

/**
 * Why the addresses that a name has now must not be dialled; undefined where they may. One bad address refuses all: a name
 * that mixes them is an attempt to be let in by one.
 */
export function addressProblem(
  { name, addresses, wasPublic }: ResolvedName,
  rule: AddressRule,
): string | undefined {
  const kinds = new Set(addresses.map(kindOfAddress));
  if (kinds.has('never')) return 'an address that no server has';
  if (rule === 'any') return undefined;
  if (rule === 'public') return kinds.size === 1 && kinds.has('public') ? undefined : 'not a public address';
  if (rule === 'private') return kinds.has('public') ? 'a public address' : undefined;
  if (isOwnName(name)) return undefined;
  if (kinds.has('near')) return 'this machine or link, by a public name';
  return kinds.has('private') && (wasPublic || kinds.has('public'))
    ? 'a private address, by a name that has public ones'
    : undefined;
}
