import { readExactAddress } from '../../addresses/address-block.ts';
import { classifyBlock } from './address.ts';

/** Names that end in one of these are answered by the local network, or by nobody. RFC 6761, RFC 8375, ICANN. */
const internalSuffixes: ReadonlySet<string> = new Set([
  'localhost',
  'localdomain',
  'local',
  'internal',
  'lan',
  'home.arpa',
  'home',
  'homenet',
  'corp',
  'intranet',
  'intra',
  'private',
  'priv',
  'localnet',
  'workgroup',
  'mail',
  'test',
  'invalid',
  'onion',
  'alt',
  // Kubernetes and its neighbours. `.cluster.local` and `.pod.cluster.local` end in `.local`.
  'svc',
  'pod',
  'cluster',
  'default',
  'consul',
  'docker',
  'kubernetes',
  'mesh',
  // Reverse names have no hosts.
  'in-addr.arpa',
  'ip6.arpa',
]);

/** Metadata services that have a name, beside those below `.internal`. */
const metadataSuffixes: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'metadata.ucloud.cn',
  'rancher-metadata',
]);

/**
 * Public names that anybody may point at a private address: by writing it into the name, or because they always do.
 * The list cannot be complete: `hosts` is the boundary, and `resolve: true` asks.
 */
const rebindingSuffixes: ReadonlySet<string> = new Set([
  'nip.io',
  'sslip.io',
  'xip.io',
  'xip.name',
  'nip.direct',
  'traefik.me',
  'backname.io',
  'ipq.co',
  'local-ip.co',
  'local-ip.sh',
  'local-ip.medicmobile.org',
  'plex.direct',
  'anyip.dev',
  'localtest.me',
  'localdev.me',
  'lvh.me',
  'vcap.me',
  'fuf.me',
  'ulh.us',
  'lacolhost.com',
  'yoogle.com',
  'smackaho.st',
  'localho.st',
  'local.gd',
  'localhost.me',
  'metadata.nicob.net',
  '127-0-0-1.org.uk',
  'spoofed.burpcollaborator.net',
  'bugbounty.dod.network',
  'mail.ebc.apple.com',
  // Answer in turns: public when it is checked, private when it is fetched.
  'rbndr.us',
  '1u.ms',
  'rebind.network',
  'rebind.it',
]);

const suffixFaults: ReadonlyMap<string, NameFault> = new Map([
  ...[...internalSuffixes].map((suffix) => [suffix, 'internal-name'] as const),
  ...[...rebindingSuffixes].map((suffix) => [suffix, 'address-in-name'] as const),
  ...[...metadataSuffixes].map((suffix) => [suffix, 'metadata-service'] as const),
]);

export type NameFault = 'internal-name' | 'metadata-service' | 'address-in-name';

/**
 * Says why a host name is not one of the public internet; undefined where its spelling gives no reason. It says nothing
 * about where a name resolves to: that anybody can set for a name of their own.
 *
 * @param name lower-case ASCII without a trailing dot
 */
export function internalNameFault(name: string): NameFault | undefined {
  if (/^metadata\.(?:.+\.)?azure\./.test(name)) return 'metadata-service';
  const bySuffix = suffixFault(name);
  if (bySuffix !== undefined) return bySuffix;
  // A single label is completed by the search list of whoever resolves it; no top-level domain has digits or hyphens.
  if (!/\.(?:[a-z]{2,63}|xn--[a-z0-9-]+)$/.test(name)) return 'internal-name';
  // `localhost.` in front of a public domain: some registrars and many developers point it at the loopback.
  if (/(?:^|\.)localhost\.[^.]+\./.test(name)) return 'internal-name';
  return hasSpecialAddress(name) ? 'address-in-name' : undefined;
}

/** The longest suffix that a list knows decides. */
function suffixFault(name: string): NameFault | undefined {
  for (let at = 0; at >= 0; ) {
    const fault = suffixFaults.get(at === 0 ? name : name.slice(at));
    if (fault !== undefined) return fault;
    const dot = name.indexOf('.', at);
    at = dot < 0 ? -1 : dot + 1;
  }
  return undefined;
}

/** `10.0.0.1.example.com`, `ip-169-254-169-254.example.com`: wildcard services under domains that no list knows. */
function hasSpecialAddress(name: string): boolean {
  if (!/[0-9][.-][0-9]{1,3}[.-][0-9]{1,3}[.-][0-9]/.test(name)) return false;
  for (const [, ...numbers] of name.matchAll(
    /(?=(?:^|[.-])([0-9]{1,3})([.-])([0-9]{1,3})\2([0-9]{1,3})\2([0-9]{1,3})(?:[.-]|$))/g,
  )) {
    numbers.splice(1, 1);
    const address = readExactAddress(numbers.map(Number).join('.'));
    if (address !== undefined && classifyBlock(address).kind === 'special') return true;
  }
  return false;
}
