/** An address as eight groups of 16 bits. IPv4 lies in `::ffff:0:0/96`, so that mapped and plain forms are one. */
export type Address = readonly number[];

export interface Network {
  readonly address: Address;
  /** Leading bits that count, of 128. */
  readonly bits: number;
}

/** Reads an IPv4 or IPv6 address; a zone (`%eth0`) is dropped. Undefined where the text is neither. */
export function parseAddress(text: string): Address | undefined {
  if (typeof text !== 'string' || text.length > 64) return undefined;
  const zone = /^([^%]*)%[0-9A-Za-z_.-]+$/.exec(text);
  if (zone !== null) return text.includes(':') ? parseIpv6(zone[1]!) : undefined;
  if (text.includes(':')) return parseIpv6(text);
  const v4 = parseIpv4(text);
  return v4 === undefined ? undefined : [0, 0, 0, 0, 0, 0xffff, ...v4];
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. */
export function parseNetwork(text: string): Network | undefined {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text);
  if (match === null) return undefined;
  const address = parseAddress(match[1]!);
  if (address === undefined) return undefined;
  const width = match[1]!.includes(':') ? 128 : 32;
  const bits = match[2] === undefined ? width : Number(match[2]);
  if (bits > width) return undefined;
  return { address, bits: bits + 128 - width };
}

/** What is wrong with a network's text; undefined where nothing is. */
export function networkFault(text: string): string | undefined {
  const network = parseNetwork(text);
  if (network === undefined) return 'expected an address or a network such as 10.0.0.0/8 or 2001:db8::/32';
  const base = network.address.map((group, index) => group & mask(network.bits, index));
  if (base.some((group, index) => group !== network.address[index])) {
    return `the address has bits set beyond its /${text.split('/')[1]}: write the network's first address`;
  }
  return undefined;
}

export function contains(network: Network, address: Address): boolean {
  for (let index = 0; index < 8; index++) {
    const bits = mask(network.bits, index);
    if (bits === 0) return true;
    if (((address[index]! ^ network.address[index]!) & bits) !== 0) return false;
  }
  return true;
}

/** The bits of one group that belong to the network. */
function mask(bits: number, group: number): number {
  const count = Math.min(16, Math.max(0, bits - group * 16));
  return (0xffff << (16 - count)) & 0xffff;
}

/** Dotted decimal only. A leading zero is refused: to some readers it means octal. */
function parseIpv4(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const octets = match.slice(1).map(Number);
  if (match.slice(1).some((octet) => octet.length > 1 && octet.startsWith('0'))) return undefined;
  if (octets.some((octet) => octet > 255)) return undefined;
  const [a, b, c, d] = octets as [number, number, number, number];
  return [a * 256 + b, c * 256 + d];
}

function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  return [...head, ...Array.from({ length: gap }, () => 0), ...tail];
}

/** @param last whether the groups end the address, where four octets may stand for two groups */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const v4 = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (v4 === undefined) return undefined;
      groups.push(...v4);
    }
  }
  return groups;
}
