import type { CredentialKind, DpopChallenge, Evidence } from './authenticator.ts';
import type { ProtectedResource } from './protected-resource.ts';

/** What a 401 may say beside the kinds of credential that are known. */
export interface ChallengeDetails {
  /** Default `x-api-key`. */
  readonly apiKeyHeader?: string | undefined;
  /** The route as an OAuth resource. */
  readonly resource?: Pick<ProtectedResource, 'metadataUrl' | 'dpop'> | undefined;
  /** What the request needs; nothing is said where there are none. */
  readonly scopes?: readonly string[];
  /** Why a DPoP proof, or the token with it, does not hold. */
  readonly dpop?: DpopChallenge | undefined;
}

type Parameters = readonly (readonly [name: string, value: string | undefined])[];

/**
 * The value of `WWW-Authenticate`, which every 401 must carry (RFC 9110, section 15.5.2).
 *
 * `Bearer` comes first, because MCP clients read only the first challenge. It says `invalid_token` only if a bearer
 * token was presented (RFC 6750, section 3.1): a client that had none must not throw its tokens away. At an OAuth
 * resource it says where the metadata is (RFC 9728, section 5.1). `DPoP` stands beside it where proofs are accepted,
 * before it where the caller came with one, and in its place where nothing else is accepted (RFC 9449, section 7.1).
 *
 * No scheme is registered for API keys or for client certificates. A key in an own header is challenged as `ApiKey`
 * with the header's name. A listener that knows certificates alone answers `ClientCertificate`, and not `Bearer`:
 * a client that is told `Bearer` starts an OAuth flow which can never succeed.
 */
export function challengeFor(
  kinds: ReadonlySet<CredentialKind>,
  evidence: Pick<Evidence, 'authorization'>,
  details: ChallengeDetails = {},
): string {
  const { resource, dpop, apiKeyHeader = 'x-api-key' } = details;
  const challenges: string[] = [];
  if (kinds.has('token')) {
    const about: Parameters = [
      resource === undefined ? ['realm', 'sallyport'] : ['resource_metadata', resource.metadataUrl],
      ['scope', scopeText(details.scopes)],
    ];
    const support = resource?.dpop;
    const algorithms = dpop?.algorithms ?? support?.algorithms;
    const presented = /^(bearer|dpop)(?=\s|$)/i.exec(evidence.authorization ?? '')?.[0].toLowerCase();
    const errorOf = (scheme: string) => (presented === scheme ? 'invalid_token' : undefined);
    // Not all that is wrong with a token is found by whoever checks proofs: it may be on the deny list.
    const ofDpop: Parameters = [
      ['error', dpop?.error ?? errorOf('dpop')],
      ['algs', algorithms?.join(' ')],
    ];
    const bearer = challenge('Bearer', [...about, ['error', errorOf('bearer')]]);
    if (support?.required === true) challenges.push(challenge('DPoP', [...ofDpop, ...about]));
    // Whoever came with a proof looks at the first challenge for what is wrong with it.
    else if (algorithms !== undefined && presented === 'dpop')
      challenges.push(challenge('DPoP', ofDpop), bearer);
    else if (algorithms !== undefined) challenges.push(bearer, challenge('DPoP', ofDpop));
    else challenges.push(bearer);
  }
  if (kinds.has('apiKey')) {
    challenges.push(
      challenge('ApiKey', [
        ['realm', 'sallyport'],
        ['header', apiKeyHeader],
      ]),
    );
  }
  if (challenges.length === 0) challenges.push(challenge('ClientCertificate', [['realm', 'sallyport']]));
  return challenges.join(', ');
}

/**
 * The value of `WWW-Authenticate` of a 403 to a token that lacks scopes (RFC 6750, section 3.1), in the scheme that the
 * caller came with.
 *
 * @param scopes all that the request needs, those that the token has included: clients ask for exactly these
 */
export function insufficientScope(
  scheme: 'Bearer' | 'DPoP',
  scopes: readonly string[],
  resource: Pick<ProtectedResource, 'metadataUrl' | 'dpop'>,
): string {
  return challenge(scheme, [
    ['error', 'insufficient_scope'],
    ['scope', scopeText(scopes)],
    ['resource_metadata', resource.metadataUrl],
    ['algs', scheme === 'DPoP' ? resource.dpop?.algorithms.join(' ') : undefined],
  ]);
}

function scopeText(scopes: readonly string[] = []): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(' ');
}

function challenge(scheme: string, parameters: Parameters): string {
  const written = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return `${scheme} ${written.join(', ')}`;
}

/**
 * A quoted-string (RFC 9110, section 5.6.4): what is in it cannot end it and begin a parameter of its own.
 *
 * @throws TypeError for characters that no header may carry: better no answer than one with a line of its own
 */
function quoted(text: string): string {
  if (/[^\x20-\x7e]/.test(text)) throw new TypeError('A challenge holds visible ASCII only');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
