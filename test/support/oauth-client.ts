/** What an official client remembers of its authorization, in memory; and a `fetch` that knows one public name. */

import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import type { FetchWithTls } from './clients.ts';

export const redirectUrl = 'http://127.0.0.1:9/callback';

/** A client that has to be sent to the browser: the URL waits in `asked`. */
export class OAuthMemory implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl;
  readonly clientMetadata = {
    client_name: 'test client',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  /** Where it sent its person, last first. */
  readonly asked: URL[] = [];
  #client: Readonly<Record<string, unknown>> | undefined;
  #tokens: { access_token: string; token_type: string; scope?: string } | undefined;
  #verifier = '';
  #discovered: unknown;

  /** @param clientId of a client that is registered already */
  constructor(clientId?: string) {
    if (clientId !== undefined) this.#client = { client_id: clientId };
  }

  get accessToken(): string | undefined {
    return this.#tokens?.access_token;
  }
  clientInformation() {
    return this.#client as ReturnType<OAuthClientProvider['clientInformation']>;
  }
  saveClientInformation(client: object) {
    this.#client = client as Readonly<Record<string, unknown>>;
  }
  tokens() {
    return this.#tokens as ReturnType<OAuthClientProvider['tokens']>;
  }
  saveTokens(tokens: { access_token: string; token_type: string; scope?: string | undefined }) {
    this.#tokens = tokens as { access_token: string; token_type: string };
  }
  redirectToAuthorization(url: URL) {
    this.asked.unshift(url);
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier() {
    return this.#verifier;
  }
  saveDiscoveryState(state: unknown) {
    this.#discovered = state;
  }
  discoveryState() {
    return this.#discovered as ReturnType<NonNullable<OAuthClientProvider['discoveryState']>>;
  }
}

/**
 * A `fetch` for which a public name leads to a gateway on loopback, as a load balancer would have it. Everything else
 * goes where its URL says.
 *
 * @param ca vouches for the gateway's certificate, which is for `localhost`
 */
export function fetchAt(publicHost: string, gatewayUrl: string, ca: string): FetchWithTls {
  const { hostname, port } = new URL(gatewayUrl);
  const dial = buildConnector({ ca });
  const agent = new Agent({
    bodyTimeout: 0,
    connect(options, callback) {
      const target =
        options.hostname === publicHost
          ? { ...options, hostname, host: `${hostname}:${port}`, port, servername: 'localhost' }
          : options;
      dial(target, callback);
    },
  });
  const withAgent = (input: string | URL, init: RequestInit = {}) =>
    undiciFetch(input, { ...(init as object), dispatcher: agent });
  return { fetch: withAgent as unknown as typeof globalThis.fetch, close: () => agent.destroy() };
}
