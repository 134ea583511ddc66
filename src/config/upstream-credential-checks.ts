import { isLoopbackBind } from '../listener/options.ts';
import { endpointUrls } from '../upstream/options.ts';
import type { Finding } from './checks.ts';
import type { GatewayFile } from './schema.ts';

/** What the credentials of upstreams need from the rest of the file. */
export function upstreamCredentials(config: GatewayFile): readonly Finding[] {
  return config.upstreams.flatMap(({ http }, index) => {
    const findings: Finding[] = [];
    if (http.assertion !== undefined && config.assertions === undefined) {
      findings.push({
        at: ['upstreams', index, 'http', 'assertion'],
        message: 'needs a key to sign with: give assertions.keys and assertions.issuer',
      });
    }
    const { tokenExchange } = http.credential ?? {};
    const hasTokens = config.identity.some(({ token }) => token !== undefined);
    if (tokenExchange?.onMissing === 'deny' && !hasTokens) {
      findings.push({
        at: ['upstreams', index, 'http', 'credential', 'tokenExchange'],
        message: 'identity has no token entry, so no caller has a token to exchange',
      });
    }
    return findings;
  });
}

/** Sentences about credentials that others on the network can read. */
export function clearCredentials(config: GatewayFile): readonly string[] {
  return config.upstreams.flatMap(({ name, http }) => {
    const { clientCredentials, tokenExchange } = http.credential ?? {};
    const asked = clientCredentials ?? tokenExchange;
    const urls = [asked?.issuer, asked?.tokenEndpoint].filter((url) => url !== undefined);
    const warnings: string[] = [];
    if (endpointUrls(http).some(crossesNetworkInClear)) {
      if (http.credential !== undefined) {
        warnings.push(`upstreams: the credential for "${name}" travels over plain HTTP`);
      }
      if (http.assertion !== undefined) {
        warnings.push(`upstreams: identity assertions for "${name}" travel over plain HTTP`);
      }
    }
    if (urls.some(crossesNetworkInClear)) {
      warnings.push(`upstreams: tokens for "${name}" are asked for over plain HTTP`);
    }
    return warnings;
  });
}

function crossesNetworkInClear(url: string): boolean {
  const { protocol, hostname, port } = new URL(url);
  return protocol === 'http:' && !isLoopbackBind(`${hostname}:${port === '' ? 80 : port}`);
}
