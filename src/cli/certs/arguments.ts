import { isIP } from 'node:net';
import { hasHostBits, readBlock, readExactAddress } from '../../addresses/address-block.ts';
import { parseSpiffeId } from '../../identity/spiffe.ts';
import { type CommandValues, text } from '../command.ts';
import { type KeyKind, keyKinds } from './keys.ts';
import type { PermittedNames } from './name-constraints.ts';
import { UsageError } from './problems.ts';

/** The texts of an option that may be repeated. */
export function texts(values: CommandValues, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The name becomes a folder: no separator, and no leading dot, can be in it. */
export function readName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new UsageError(`not a name: ${JSON.stringify(name)} (letters, digits, . _ -, at most 64)`);
  }
  return name;
}

export function readSpiffe(option: string, id: string): string {
  const parsed = parseSpiffeId(id);
  if (parsed === undefined || parsed.path === '') {
    throw new UsageError(`${option}: not a SPIFFE ID with a path: ${id}`);
  }
  return id;
}

/** A URI as it is compared: visible ASCII with a scheme, and no SPIFFE ID in another spelling. */
export function readUri(uri: string): string {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,2000}$/.test(uri))
    throw new UsageError(`--uri: not a URI: ${JSON.stringify(uri)}`);
  return /^spiffe:/i.test(uri) ? readSpiffe('--uri', uri) : uri;
}

export function readHost(option: string, given: string): string {
  const host = given.trim().toLowerCase();
  if (isIP(host) !== 0 && readExactAddress(host) !== undefined) return host;
  if (isIP(host) === 0 && isDnsName(host.replace(/^\*\./, ''))) return host;
  throw new UsageError(`${option}: not a DNS name or IP address: ${JSON.stringify(given)}`);
}

function isDnsName(name: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  return name.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(name);
}

/** A name of its own, without a wildcard: a client is one caller. */
export function readClientHost(given: string): string {
  const host = given.toLowerCase();
  if (isIP(host) === 0 && isDnsName(host)) return host;
  throw new UsageError(`--dns: not a DNS name: ${JSON.stringify(given)}`);
}

export function readDays(values: CommandValues, option: string, otherwise: number, maximum: number): number {
  const given = text(values, option) ?? String(otherwise);
  const days = /^[0-9]{1,5}$/.test(given) ? Number(given) : 0;
  if (days < 1 || days > maximum) throw new UsageError(`--${option}: a number of days from 1 to ${maximum}`);
  return days;
}

/** `30d`, or `30`. @returns days */
export function readWithin(values: CommandValues, otherwise: number): number {
  const given = text(values, 'within') ?? String(otherwise);
  if (!/^[0-9]{1,5}d?$/.test(given)) throw new UsageError('--within: a number of days, such as 30d');
  return Number.parseInt(given, 10);
}

export function readKeyKind(values: CommandValues): KeyKind {
  const given = text(values, 'key') ?? 'ec-p256';
  const kind = keyKinds.find((one) => one === given);
  if (kind === undefined) throw new UsageError(`--key: one of ${keyKinds.join(', ')}`);
  return kind;
}

/** Undefined where none of the options is given: then the CA may vouch for anything. */
export function readPermitted(values: CommandValues): PermittedNames | undefined {
  const dns = texts(values, 'permit-dns').map((name) => {
    const base = name.toLowerCase().replace(/^\./, '');
    if (!isDnsName(base)) throw new UsageError(`--permit-dns: not a domain: ${JSON.stringify(name)}`);
    return base;
  });
  const uris = texts(values, 'permit-uri').map((name) => {
    const host = name.toLowerCase();
    if (!isDnsName(host.replace(/^\./, '')))
      throw new UsageError(
        `--permit-uri: a host or trust domain, such as acme.example: ${JSON.stringify(name)}`,
      );
    return host;
  });
  const addresses = texts(values, 'permit-ip').map((block) => {
    const parsed = readBlock(block);
    if (parsed === undefined || hasHostBits(parsed))
      throw new UsageError(`--permit-ip: a block, such as 10.0.0.0/8: ${JSON.stringify(block)}`);
    return block;
  });
  if (dns.length + uris.length + addresses.length === 0) return undefined;
  return { dns, uris, addresses };
}
