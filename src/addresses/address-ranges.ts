import { type Block, overlaps, readBlock, within } from './address-block.ts';

/**
 * What the IANA special-purpose registries (RFC 6890, RFC 8190) and the address architecture (RFC 4291) set apart.
 *
 * Stricter than the registries in one point: all of 192.0.0.0/24 and 2001::/23 are special, also the few addresses in
 * them that are globally reachable. Those are anycast services of the nearest network, never a web server.
 */
interface Range {
  readonly block: Block;
  /** Stable word in kebab case. */
  readonly name: string;
}

/** Checked in order: what is more exact stands first. */
const rangesV4: readonly Range[] = [
  // Metadata services: from here the credentials of the whole machine are one GET away.
  range('169.254.169.254/32', 'metadata-service'),
  range('169.254.170.2/32', 'metadata-service'),
  range('169.254.170.23/32', 'metadata-service'),
  range('100.100.100.200/32', 'metadata-service'),
  range('192.0.0.192/32', 'metadata-service'),
  // Azure's wire server has an address of the public space.
  range('168.63.129.16/32', 'metadata-service'),
  range('0.0.0.0/32', 'unspecified'),
  range('0.0.0.0/8', 'this-network'),
  range('10.0.0.0/8', 'private'),
  range('100.64.0.0/10', 'shared-address-space'),
  range('127.0.0.0/8', 'loopback'),
  range('169.254.0.0/16', 'link-local'),
  range('172.16.0.0/12', 'private'),
  range('192.0.0.0/24', 'protocol-assignments'),
  range('192.0.2.0/24', 'documentation'),
  range('192.88.99.0/24', '6to4-relay'),
  range('192.168.0.0/16', 'private'),
  range('198.18.0.0/15', 'benchmarking'),
  range('198.51.100.0/24', 'documentation'),
  range('203.0.113.0/24', 'documentation'),
  range('224.0.0.0/4', 'multicast'),
  range('255.255.255.255/32', 'broadcast'),
  range('240.0.0.0/4', 'reserved'),
];

const rangesV6: readonly Range[] = [
  range('fd00:ec2::254/128', 'metadata-service'),
  range('fd00:ec2::23/128', 'metadata-service'),
  range('fd20:ce::254/128', 'metadata-service'),
  range('fd00:c1::a9fe:a9fe/128', 'metadata-service'),
  range('fd00:42::42/128', 'metadata-service'),
  range('::/128', 'unspecified'),
  range('::1/128', 'loopback'),
  range('::ffff:0:0/96', 'ipv4-mapped'),
  range('::ffff:0:0:0/96', 'ipv4-translated'),
  range('::/96', 'ipv4-compatible'),
  range('64:ff9b::/96', 'nat64'),
  range('64:ff9b:1::/48', 'nat64-local'),
  range('100::/64', 'discard-only'),
  range('100:0:0:1::/64', 'dummy-prefix'),
  range('2001::/32', 'teredo'),
  range('2001:2::/48', 'benchmarking'),
  range('2001:10::/28', 'orchid'),
  range('2001:20::/28', 'orchid'),
  range('2001::/23', 'protocol-assignments'),
  range('2001:db8::/32', 'documentation'),
  range('2002::/16', '6to4'),
  range('3fff::/20', 'documentation'),
  range('5f00::/16', 'segment-routing'),
  range('fc00::/7', 'unique-local'),
  range('fe80::/10', 'link-local'),
  range('fec0::/10', 'site-local'),
  range('ff00::/8', 'multicast'),
];

/** All that has been given out to hosts: RFC 4291, and IANA's IPv6 address space. The rest is unallocated. */
const globalUnicast = readBlock('2000::/3')!;

const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'].map(
  (text) => readBlock(text)!,
);

/** What a block of addresses lies in or touches that is not public; undefined where all of it is public. */
export function specialRange(block: Block): string | undefined {
  for (const { block: special, name } of block.family === 4 ? rangesV4 : rangesV6) {
    if (overlaps(special, block)) return name;
  }
  return block.family === 4 || within(block, globalUnicast) ? undefined : 'unallocated';
}

/** Whether all of a block is meant for private networks: RFC 1918 and RFC 4193. */
export function isPrivateBlock(block: Block): boolean {
  return privateBlocks.some((range) => within(block, range));
}

/** Whether all of a block lies in one range that is set apart: none of its addresses is public. */
export function isSpecialBlock(block: Block): boolean {
  return (block.family === 4 ? rangesV4 : rangesV6).some((range) => within(block, range.block));
}

function range(text: string, name: string): Range {
  return { block: readBlock(text)!, name };
}
