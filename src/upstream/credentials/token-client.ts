import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  genericTokenEndpointRequest,
  PrivateKeyJwt,
  processGenericTokenEndpointResponse,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { type Dial, dialFor } from '../../dialer/contract.ts';
import { readSmallFile } from '../files.ts';
import { isValidHeaderValue } from '../headers.ts';
import type { OAuthClientOptions } from './options.ts';
import { readPrivateKey, toCryptoKey } from './private-key.ts';
import { createServerMetadata } from './server-metadata.ts';
import { TokenFault, toTokenFault } from './token-faults.ts';

/** A token that an authorization server gave to the gateway. */
export interface IssuedToken {
  readonly text: string;
  /** Milliseconds that it lives from when it was asked for; undefined where the server did not say. */
  readonly lifetimeMs: number | undefined;
}

/** A caller's token to exchange, and who the gateway itself is. */
export interface ExchangeRequest {
  readonly subject: string;
  readonly subjectTokenType: string;
  readonly requestedTokenType: string | undefined;
  /** The gateway's own access token; undefined for impersonation (RFC 8693 1.1). */
  readonly actor: string | undefined;
}

/** The gateway as a client of one authorization server. Every method asks anew. */
export interface TokenClient {
  /**
   * @param plain without scope, resource and audience: a token that says who the gateway is, for the server itself
   * @throws TokenFault
   */
  clientCredentials(signal: AbortSignal, plain?: boolean): Promise<IssuedToken>;
  /** @throws TokenFault */
  exchange(request: ExchangeRequest, signal: AbortSignal): Promise<IssuedToken>;
  /** Secrets of the client that must not appear anywhere. */
  secrets(): readonly string[];
  /** Reads the secret or key again. @throws Error naming the file; the last good one then stays */
  reload(): void;
}

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const jwtType = 'urn:ietf:params:oauth:token-type:jwt';

/** 8KiB: Node servers take 16KiB of headers, and the token is not the only one. */
const longestToken = 8192;

/** 4KiB, far beyond what anybody calls a client secret. */
const maxSecretBytes = 4096;

/**
 * @param dial every request goes through it: it decides on addresses, and whether plain HTTP may be spoken
 * @throws Error naming the file, where secret or key are not usable
 */
export function createTokenClient(options: OAuthClientOptions, dial: Dial): TokenClient {
  const client: Client = { client_id: options.clientId };
  const server = createServerMetadata(options, dialFor(dial, 'discovery'));
  const dialToken = dialFor(dial, 'token', holdsToken);
  let proof = readProof(options);

  const requestOptions = (signal: AbortSignal) => ({
    [customFetch]: (url: string, request: Parameters<Dial>[1]) => dialToken(url, request),
    // The dialer decides: it allows plain HTTP only for addresses that the configuration names.
    [allowInsecureRequests]: true,
    signal,
  });

  function parameters(plain: boolean): URLSearchParams {
    const asked = new URLSearchParams();
    if (plain) return asked;
    if (options.scope.length > 0) asked.set('scope', options.scope.join(' '));
    for (const resource of [options.resource ?? []].flat()) asked.append('resource', resource);
    for (const audience of [options.audience ?? []].flat()) asked.append('audience', audience);
    return asked;
  }

  return {
    async clientCredentials(signal, plain = false) {
      const what = 'client credentials';
      try {
        const as = await server(signal);
        const request = requestOptions(signal);
        const response = await clientCredentialsGrantRequest(
          as,
          client,
          proof.auth,
          parameters(plain),
          request,
        );
        return issued(await read(as, client, response), plain ? undefined : options.scope, what);
      } catch (error) {
        throw toTokenFault(error, what);
      }
    },
    async exchange({ subject, actor, subjectTokenType, requestedTokenType }, signal) {
      const what = 'token exchange';
      try {
        const as = await server(signal);
        const asked = parameters(false);
        asked.set('subject_token', subject);
        asked.set('subject_token_type', subjectTokenType);
        if (requestedTokenType !== undefined) asked.set('requested_token_type', requestedTokenType);
        if (actor !== undefined) {
          asked.set('actor_token', actor);
          asked.set('actor_token_type', accessTokenType);
        }
        const request = requestOptions(signal);
        const response = await genericTokenEndpointRequest(as, client, proof.auth, grantType, asked, request);
        const body = await read(as, client, response);
        checkTokenType(body['issued_token_type'], requestedTokenType, what);
        const token = issued(body, options.scope, what);
        // A server that does not exchange but echoes would make the client's own token travel.
        if (token.text.includes(subject)) throw new TokenFault(`${what}: the caller's own token came back`);
        // The gateway's own one is for the server alone: whoever has it could be the actor in exchanges.
        if (actor !== undefined && token.text.includes(actor)) {
          throw new TokenFault(`${what}: the gateway's own token came back`);
        }
        return token;
      } catch (error) {
        throw toTokenFault(error, what);
      }
    },
    secrets: () => proof.secrets,
    reload() {
      proof = readProof(options);
    },
  };
}

interface Proof {
  readonly auth: ClientAuth;
  readonly secrets: readonly string[];
}

function readProof(options: OAuthClientOptions): Proof {
  if (options.privateKey !== undefined) {
    const key = readPrivateKey(options.privateKey);
    const auth = PrivateKeyJwt({ key: toCryptoKey(key), ...(key.id === undefined ? {} : { kid: key.id }) });
    return { auth, secrets: [] };
  }
  const file = options.secret!;
  // Editors and `echo` end files with a line break.
  const secret = readSmallFile(file, maxSecretBytes).toString('utf8').trim();
  if (!isValidHeaderValue(secret)) throw new Error(`${file}: a client secret is one line of visible ASCII`);
  const auth = options.secretMethod === 'post' ? ClientSecretPost(secret) : ClientSecretBasic(secret);
  return { auth, secrets: [secret] };
}

/** Whether there is a token in an answer at all: for metrics. What it is worth is judged with what was asked for. */
async function holdsToken(response: Response): Promise<boolean> {
  const body: unknown = await response.json();
  return typeof body === 'object' && body !== null && 'access_token' in body;
}

function read(as: AuthorizationServer, client: Client, response: Response): Promise<TokenEndpointResponse> {
  return processGenericTokenEndpointResponse(as, client, response);
}

/** RFC 8693 2.2.1: the answer must say what was issued. What was not asked for is not shown to an upstream. */
function checkTokenType(issuedType: unknown, requested: string | undefined, what: string): void {
  const wanted = requested === undefined ? [accessTokenType, jwtType] : [requested];
  if (typeof issuedType !== 'string' || !wanted.includes(issuedType)) {
    throw new TokenFault(`${what}: issued_token_type is missing or not the one asked for`);
  }
}

// RFC 6750 2.1: b64token.
const bearerToken = /^[A-Za-z0-9._~+/-]+=*$/;

/** @param scope what was asked for; undefined where nothing was */
function issued(
  body: TokenEndpointResponse,
  scope: readonly string[] | undefined,
  what: string,
): IssuedToken {
  const fault = (why: string): TokenFault => new TokenFault(`${what}: ${why}`);
  // A token bound to a key would need proofs; `N_A` says that it is no access token at all (RFC 8693 2.2.1).
  if (body.token_type !== 'bearer') throw fault('the token is not a bearer token');
  const text = body.access_token;
  if (text.length > longestToken || !bearerToken.test(text))
    throw fault('the token cannot be sent in a header');
  const granted = body.scope?.split(' ').filter((word) => word !== '') ?? [];
  if (scope !== undefined && scope.length > 0 && granted.some((word) => !scope.includes(word))) {
    throw fault('the token has more scopes than were asked for');
  }
  const { expires_in: seconds } = body;
  if (seconds === undefined) return { text, lifetimeMs: undefined };
  if (!(seconds > 0)) throw fault('the token has expired already');
  return { text, lifetimeMs: Math.min(seconds, longestLifetimeSeconds) * 1000 };
}

/** A day: what lives longer is asked for anew, so that a change of the caller's rights arrives. */
const longestLifetimeSeconds = 86_400;
