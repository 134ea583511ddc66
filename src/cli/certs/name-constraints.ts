import { isIP } from 'node:net';
import * as asn1js from 'asn1js';
import { GeneralName, GeneralSubtree, NameConstraints } from 'pkijs';
import { type Block, readBlock, readExactAddress, within } from '../../addresses/address-block.ts';

/** The names that a CA may vouch for. A kind without an entry may not be named at all. */
export interface PermittedNames {
  /** `acme.example` and all that ends in `.acme.example`. */
  readonly dns: readonly string[];
  /** Hosts of URIs, which for SPIFFE IDs are trust domains; with a leading dot: what is below, but not the host. */
  readonly uris: readonly string[];
  /** `10.0.0.0/8`. */
  readonly addresses: readonly string[];
}

export interface RequestedNames {
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
}

export const nameConstraintsOid = '2.5.29.30';

/** Reserved (RFC 6761): no name is ever under it. A kind that permits only this permits nothing. */
const nowhere = 'nothing.invalid';

/**
 * Writes name constraints (RFC 5280, section 4.2.1.10).
 *
 * A certificate verifier holds a name against the constraints of its own kind only: a CA that is limited to a trust domain
 * and to nothing else could still vouch for every host name. So kinds that are not permitted anything are closed.
 *
 * @returns DER
 */
export function encodeNameConstraints(permitted: PermittedNames): Uint8Array<ArrayBuffer> {
  const named = (type: 2 | 6) => (value: string) =>
    new GeneralSubtree({ base: new GeneralName({ type, value }) });
  const block = (text: string) =>
    new GeneralSubtree({ base: new GeneralName({ type: 7, value: octets(readBlock(text)!) }) });
  const closed = (names: readonly string[]) => (names.length === 0 ? [nowhere] : names);
  const addresses = permitted.addresses.map(block);
  const constraints = new NameConstraints({
    permittedSubtrees: [
      ...closed(permitted.dns).map(named(2)),
      ...closed(permitted.uris).map(named(6)),
      ...addresses,
    ],
    ...(addresses.length === 0 && { excludedSubtrees: ['0.0.0.0/0', '::/0'].map(block) }),
  });
  return new Uint8Array(constraints.toSchema().toBER());
}

/** What a CA with these constraints may not vouch for: verifiers would refuse the certificate. */
export function namesOutside(permitted: PermittedNames, names: RequestedNames): readonly string[] {
  const blocks = permitted.addresses.map((text) => readBlock(text)!);
  return [
    ...(names.hosts ?? []).filter((host) => {
      if (isIP(host) === 0) return !permitted.dns.some((base) => host === base || host.endsWith(`.${base}`));
      const address = readExactAddress(host);
      return address === undefined || !blocks.some((block) => within(address, block));
    }),
    ...(names.uris ?? []).filter((uri) => {
      const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#:@]+)/i.exec(uri)?.[1]?.toLowerCase();
      if (host === undefined) return true;
      return !permitted.uris.some((base) => (base.startsWith('.') ? host.endsWith(base) : host === base));
    }),
  ];
}

/** Reads what `encodeNameConstraints` wrote. @throws Error where the DER is something else */
export function decodeNameConstraints(der: ArrayBuffer): PermittedNames {
  const constraints = new NameConstraints({ schema: asn1js.fromBER(der).result });
  const of = (type: number) =>
    (constraints.permittedSubtrees ?? []).map(({ base }) => base).filter((base) => base.type === type);
  const texts = (type: number) => of(type).flatMap(({ value }) => (value === nowhere ? [] : [String(value)]));
  const addresses = of(7).map(({ value }) => cidr(Buffer.from((value as asn1js.OctetString).getValue())));
  return { dns: texts(2), uris: texts(6), addresses };
}

/** Address, then mask: eight octets, or thirty-two. */
function octets({ words, prefix }: Block): asn1js.OctetString {
  const bits = words.length * 16;
  const mask = ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
  const bytes = Buffer.from(mask.toString(16).padStart(bits / 4, '0'), 'hex');
  const address = Buffer.alloc(words.length * 2);
  words.forEach((word, index) => {
    address.writeUInt16BE(word, index * 2);
  });
  return new asn1js.OctetString({ valueHex: new Uint8Array([...address, ...bytes]).buffer });
}

function cidr(bytes: Buffer): string {
  const half = bytes.length / 2;
  let prefix = 0;
  for (const byte of bytes.subarray(half)) prefix += byte.toString(2).replaceAll('0', '').length;
  const address = bytes.subarray(0, half);
  if (half === 4) return `${address.join('.')}/${prefix}`;
  const words = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
  // RFC 5952: the longest run of zeros is written in short.
  const text = new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
  return `${text}/${prefix}`;
}
