import type { z } from 'zod';
import type { JsonValue } from '../../values/json.ts';
import type { Lookup, Role, RoleFault, RoleKind } from '../role.ts';
import { carriesV4, classifyAddress, classifyBlock } from './address.ts';
import { toFaults } from './faults.ts';
import type { Host } from './url-host.ts';
import { compileHosts, type HostList } from './url-host-pattern.ts';
import { internalNameFault, type NameFault } from './url-internal-names.ts';
import { urlOptions } from './url-options.ts';
import { compilePaths, pathSegments } from './url-paths.ts';
import { readUrl, schemePorts, type UrlParts, type UrlTextFault } from './url-text.ts';

type UrlOptions = z.output<typeof urlOptions>;

type UrlFault =
  | UrlTextFault
  | NameFault
  | 'not-text'
  | 'too-long'
  | 'host-not-listed'
  | 'special-address'
  | 'port'
  | 'path-not-listed'
  | 'query'
  | 'fragment'
  | 'unresolved'
  | 'resolves-to-special';

const exactForm = 'no option allows it: send the URL in its exact form';
const listed = 'name the host exactly in `hosts` and set `addresses: listed`';

/** How each fault can be allowed. */
const faults = toFaults<UrlFault>({
  'not-text': 'no option allows it: send text',
  'too-long': 'raise `maxLength`',
  'hidden-character': `${exactForm}, white space and other than ASCII characters percent-encoded`,
  backslash: `${exactForm}, with %5C for a backslash`,
  'not-absolute': `${exactForm}, beginning with its scheme`,
  slashes: `${exactForm}, with two slashes behind the scheme`,
  'readings-differ': exactForm,
  'authority-ambiguous': `${exactForm}, with a slash behind the host`,
  'host-encoding': `${exactForm}, the host without percent-encoding`,
  'host-characters': `${exactForm}, the host in plain letters or as xn--`,
  'host-form': `${exactForm}, with a host that has no empty labels and no dot at its end`,
  'address-notation': `${exactForm}, with an address in dotted decimal or in RFC 5952 form`,
  'port-notation': `${exactForm}, with a port from 1 to 65535 without leading zeros, or none`,
  'path-form': `${exactForm}, with dot segments resolved and nothing encoded twice`,
  scheme: 'name the scheme in `schemes`',
  userinfo: 'set `userinfo: allow`',
  port: 'name the port in `ports`',
  'host-not-listed': 'name the host in `hosts`',
  'internal-name': listed,
  'metadata-service': listed,
  'address-in-name': listed,
  'special-address': listed,
  'path-not-listed': 'name the path in `paths`',
  query: 'set `query: allow`',
  fragment: 'set `fragment: allow`',
  unresolved: 'make the name resolvable for the gateway, or set `resolve: false`',
  'resolves-to-special': listed,
});

/** `url`: an absolute URL that every reader reads alike, to a host that policy lets the server speak to. */
export const urlRole = {
  name: 'url',
  options: urlOptions,
  compile: compileUrl,
} satisfies RoleKind<typeof urlOptions>;

function compileUrl(options: UrlOptions): Role {
  const check = compileCheck(options);
  const role: Role = {
    name: 'url',
    secret: false,
    judge: (value) => asFault(check(value)),
  };
  if (!options.resolve) return role;
  const hosts = options.hosts === undefined ? undefined : compileHosts(options.hosts);
  return { ...role, lookup: (value) => lookupOf(value, options, hosts) };
}

function compileCheck(options: UrlOptions): (value: JsonValue) => UrlFault | undefined {
  const schemes = new Set<string>(options.schemes);
  const ports = Array.isArray(options.ports) ? new Set(options.ports) : undefined;
  const anyPort = options.ports === 'any';
  const hosts = options.hosts === undefined ? undefined : compileHosts(options.hosts);
  const isListedPath = options.paths === undefined ? undefined : compilePaths(options.paths);
  return (value) => {
    if (typeof value !== 'string') return 'not-text';
    if (value.length > options.maxLength) return 'too-long';
    const parts = readUrl(value);
    if (typeof parts === 'string') return parts;
    if (!schemes.has(parts.scheme)) return 'scheme';
    if (parts.userinfo && options.userinfo === 'refuse') return 'userinfo';
    const fault = hostFault(parts.host, options.addresses, hosts);
    if (fault !== undefined) return fault;
    if (
      !anyPort &&
      (ports === undefined ? parts.port !== schemePorts.get(parts.scheme) : !ports.has(parts.port))
    )
      return 'port';
    if (isListedPath !== undefined) {
      const segments = pathSegments(parts.path);
      if (segments === undefined) return 'path-form';
      if (!isListedPath(segments)) return 'path-not-listed';
    }
    return extrasFault(parts, options);
  };
}

function hostFault(
  host: Host,
  addresses: UrlOptions['addresses'],
  hosts: HostList | undefined,
): UrlFault | undefined {
  // An IPv6 spelling of an IPv4 address is a disguise whatever it carries: lists and firewalls know the other one.
  if (host.kind === 'address' && carriesV4(host.block)) return 'address-notation';
  if (hosts !== undefined && !hosts.has(host.name)) return 'host-not-listed';
  if (addresses === 'any' || (addresses === 'listed' && hosts?.hasExact(host.name))) return undefined;
  if (host.kind === 'name') return internalNameFault(host.name);
  const found = classifyBlock(host.block);
  if (found.kind === 'public') return undefined;
  return found.name === 'metadata-service' ? 'metadata-service' : 'special-address';
}

function extrasFault(parts: UrlParts, options: UrlOptions): UrlFault | undefined {
  if (parts.query && options.query === 'refuse') return 'query';
  return parts.fragment && options.fragment === 'refuse' ? 'fragment' : undefined;
}

/**
 * What must be asked about the host. None for an address, which has been judged, nor for a name that `hosts` lets be
 * private. The server resolves the name again: an answer that changes in between is not seen here.
 */
function lookupOf(value: JsonValue, options: UrlOptions, hosts: HostList | undefined): Lookup | undefined {
  const parts = typeof value === 'string' ? readUrl(value) : 'not-text';
  if (typeof parts === 'string' || parts.host.kind === 'address') return undefined;
  const { name } = parts.host;
  if (options.addresses === 'listed' && hosts?.hasExact(name)) return undefined;
  const mayBe = (address: string) =>
    classifyAddress(address)?.kind === 'public' ||
    (options.addresses === 'listed' && hosts !== undefined && hosts.hasExact(address));
  return {
    kind: 'addresses',
    host: name,
    judge(addresses) {
      if (addresses === undefined || addresses.length === 0) return asFault('unresolved');
      return addresses.every(mayBe) ? undefined : asFault('resolves-to-special');
    },
  };
}

function asFault(fault: UrlFault | undefined): RoleFault | undefined {
  return fault === undefined ? undefined : faults[fault];
}
