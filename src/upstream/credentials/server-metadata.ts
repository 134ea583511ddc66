import {
  type AuthorizationServer,
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
} from 'oauth4webapi';
import type { Dial } from '../../dialer/contract.ts';
import type { OAuthClientOptions } from './options.ts';
import { TokenFault, toTokenFault } from './token-faults.ts';

/** An hour: a token endpoint moves rarely, and the old address fails loudly. */
const metadataMaxAgeMs = 3_600_000;

/**
 * What is known of the authorization server: from the configuration alone where it names the token endpoint, otherwise
 * from its metadata, which are kept for an hour.
 *
 * @throws TokenFault (from the returned function) where there are no metadata, or they name another issuer
 */
export function createServerMetadata(
  { issuer, tokenEndpoint }: Pick<OAuthClientOptions, 'issuer' | 'tokenEndpoint'>,
  dial: Dial,
): (signal: AbortSignal) => Promise<AuthorizationServer> {
  if (tokenEndpoint !== undefined) {
    const known = { issuer: issuer ?? tokenEndpoint, token_endpoint: tokenEndpoint };
    return () => Promise.resolve(known);
  }
  let learnt: { readonly server: AuthorizationServer; readonly at: number } | undefined;
  return async (signal) => {
    if (learnt !== undefined && performance.now() - learnt.at < metadataMaxAgeMs) return learnt.server;
    const server = await discover(issuer!, dial, signal);
    learnt = { server, at: performance.now() };
    return server;
  };
}

/** RFC 8414 first, then OpenID Connect Discovery: the order of MCP 2025-11-25, basic/authorization. */
async function discover(issuer: string, dial: Dial, signal: AbortSignal): Promise<AuthorizationServer> {
  let fault: TokenFault | undefined;
  for (const algorithm of ['oauth2', 'oidc'] as const) {
    try {
      const response = await discoveryRequest(new URL(issuer), {
        algorithm,
        [customFetch]: (url, request) => dial(url, request),
        // The dialer decides: it allows plain HTTP only for addresses that the configuration names.
        [allowInsecureRequests]: true,
        signal,
      });
      const server = await processDiscoveryResponse(new URL(issuer), response);
      // The library compares as URLs; issuers are compared as they are written (RFC 8414 3.3).
      if (server.issuer !== issuer) throw new TokenFault('discovery: the metadata name another issuer');
      if (server.token_endpoint === undefined) {
        throw new TokenFault('discovery: the metadata name no token endpoint');
      }
      // The dialer may allow http in a private network. A server that is known by https must not lead there: what is sent
      // is the gateway's secret and the caller's token.
      if (isHttps(issuer) && !isHttps(server.token_endpoint)) {
        throw new TokenFault('discovery: the metadata name a token endpoint that is not https');
      }
      return server;
    } catch (error) {
      fault = toTokenFault(error, 'discovery');
      if (fault.shared) throw fault;
    }
  }
  throw new TokenFault(fault!.message, true);
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}
