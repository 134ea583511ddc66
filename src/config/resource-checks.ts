import { isIssuerUrl } from '../identity/options.ts';
import { wellKnownPrefix } from '../listener/options.ts';
import type { Finding } from './checks.ts';
import type { GatewayFile } from './schema.ts';

/** What `authorization` of the upstreams says, against the rest of the file. */
export function resources(config: GatewayFile): readonly Finding[] {
  const issuers = config.identity.flatMap(({ token }) => (token === undefined ? [] : [token.issuer]));
  return config.upstreams.flatMap((upstream, index) => [
    ...reserved(upstream, index),
    ...ofUpstream(upstream, index, issuers),
  ]);
}

type Upstream = GatewayFile['upstreams'][number];

/** What the gateway publishes there must not be an upstream's to answer. */
function reserved({ path }: Upstream, index: number): readonly Finding[] {
  if (!`${path}/`.startsWith(wellKnownPrefix)) return [];
  return [
    { at: ['upstreams', index, 'path'], message: `${wellKnownPrefix} is where the gateway itself publishes` },
  ];
}

function ofUpstream(
  { path, authorization }: Upstream,
  index: number,
  issuers: readonly string[],
): readonly Finding[] {
  if (authorization === undefined) return [];
  const at = ['upstreams', index, 'authorization'];
  const findings: Finding[] = [];
  if (new URL(authorization.resource).pathname !== path) {
    findings.push({
      at: [...at, 'resource'],
      message: `its path must be ${path}, the path of the route: clients accept no other resource`,
    });
  }
  if (issuers.length === 0) {
    findings.push({ at, message: 'identity has no token entry, so nobody could ever come with a token' });
    return findings;
  }
  for (const [place, server] of (authorization.servers ?? []).entries()) {
    if (issuers.includes(server)) continue;
    findings.push({
      at: [...at, 'servers', place],
      message: 'identity has no token entry with this issuer',
    });
  }
  for (const issuer of authorization.servers ?? issuers) {
    if (isIssuerUrl(issuer)) continue;
    findings.push({
      at: [...at, 'servers'],
      message: `clients cannot be sent to the issuer ${issuer}, which is no https URL: list those that are`,
    });
  }
  return findings;
}
