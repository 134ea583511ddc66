import type { Credential } from './principal.ts';
import { tokenId } from './principal-id.ts';

type Claims = Readonly<Record<string, unknown>>;
type TokenCredential = Extract<Credential, { kind: 'token' }>;

/** What a token is bound to (RFC 7800): without it, the token is good for nothing. */
export type TokenBinding =
  /** `cnf.x5t#S256` (RFC 8705): base64url of the SHA-256 of a client certificate. */
  | { readonly kind: 'certificate'; readonly thumbprint: string }
  /** `cnf.jkt` (RFC 9449): the thumbprint of the key that proofs are signed with. */
  | { readonly kind: 'dpop'; readonly thumbprint: string };

/** The claims of a token whose origin is sure, read but not yet asked at any route or time. */
export interface TokenFacts {
  readonly principalId: string;
  readonly credential: TokenCredential;
  /** Milliseconds since the epoch, the clock skew added. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** `exp` and not the age decides when it ends. */
  readonly endsByExpiry: boolean;
  readonly audiences: readonly string[];
  readonly binding: TokenBinding | undefined;
}

export interface ClaimRules {
  readonly issuer: string;
  /** Milliseconds. */
  readonly clockSkew: number;
  /** Milliseconds. */
  readonly maxAge?: number | undefined;
  /** Whether DPoP proofs are checked for this issuer. */
  readonly dpop: boolean;
}

/** Ten years. A token that says more has milliseconds where seconds belong, or is meant never to end. */
const longestLife = 10 * 365 * 86_400_000;

/**
 * Reads the claims of a token, whether they come out of a JWT (RFC 9068) or out of an introspection answer (RFC 7662).
 *
 * @param source `opaque`: `iss` may be left out, since its issuer was asked; so may `sub` where `client_id` says which
 *   workload it is (RFC 7662, section 2.2)
 * @returns the reason why such a token is never accepted, or what it says
 */
export function readClaims(
  claims: Claims,
  source: 'jwt' | 'opaque',
  rules: ClaimRules,
  time: number,
): TokenFacts | string {
  const { iss, exp, nbf, iat } = claims;
  if (iss !== rules.issuer && !(iss === undefined && source === 'opaque')) return 'token-issuer';
  const audiences = readAudiences(claims['aud']);
  if (audiences === undefined) return 'token-audience';
  const clientId = readClientId(claims);
  const subject = claims['sub'] === undefined && source === 'opaque' ? clientId : claims['sub'];
  if (!isSubject(subject)) return 'token-subject';
  if (typeof exp !== 'number') return 'token-expiry-missing';
  if (!Number.isFinite(exp * 1000)) return 'token-claims';
  if (exp * 1000 > time + longestLife) return 'token-lifetime';
  if (nbf !== undefined && typeof nbf !== 'number') return 'token-not-yet-valid';
  if (iat === undefined && rules.maxAge !== undefined) return 'token-claims';
  if (iat !== undefined && (typeof iat !== 'number' || !Number.isFinite(iat))) return 'token-claims';
  if (iat !== undefined && iat * 1000 > time + rules.clockSkew) return 'token-issued-in-future';
  const binding = readBinding(claims['cnf'], rules.dpop);
  if (binding === 'unsupported') return 'token-binding-unsupported';

  const expiry = exp * 1000 + rules.clockSkew;
  const tooOld =
    iat === undefined || rules.maxAge === undefined
      ? Number.POSITIVE_INFINITY
      : iat * 1000 + rules.maxAge + rules.clockSkew;
  const validUntil = Math.min(expiry, tooOld);
  return {
    principalId: tokenId(rules.issuer, subject),
    credential: Object.freeze({
      kind: 'token',
      issuer: rules.issuer,
      subject,
      scopes: Object.freeze(readScopes(claims)),
      claims: Object.freeze({ ...claims }),
      tokenId: typeof claims['jti'] === 'string' ? claims['jti'] : undefined,
      clientId,
      bound: binding?.kind,
      expiresAt: validUntil,
    }),
    validFrom: (nbf ?? Number.NEGATIVE_INFINITY) * 1000 - rules.clockSkew,
    validUntil,
    endsByExpiry: expiry <= tooOld,
    audiences,
    binding,
  };
}

/** A control character or half a surrogate pair would read differently in a log, an id or a policy. */
function isSubject(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= 512 &&
    value.isWellFormed() &&
    !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)
  );
}

/** One text or a list of texts (RFC 7519, section 4.1.3), and nothing else in it. */
function readAudiences(aud: unknown): readonly string[] | undefined {
  if (typeof aud === 'string') return [aud];
  if (!Array.isArray(aud) || aud.length === 0) return undefined;
  return aud.every((one) => typeof one === 'string') ? aud : undefined;
}

/** What a token is bound to; undefined where it is bound to nothing. A binding that nobody here checks is none. */
function readBinding(cnf: unknown, dpop: boolean): TokenBinding | 'unsupported' | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null) return 'unsupported';
  const entries = Object.entries(cnf);
  const [name, thumbprint] = entries[0] ?? [];
  if (entries.length !== 1 || typeof thumbprint !== 'string') return 'unsupported';
  if (name === 'x5t#S256') return { kind: 'certificate', thumbprint };
  return name === 'jkt' && dpop ? { kind: 'dpop', thumbprint } : 'unsupported';
}

/** `client_id` (RFC 9068, section 2.2); `azp` is what OpenID providers write instead. */
function readClientId(claims: Claims): string | undefined {
  const written = claims['client_id'] ?? claims['azp'];
  return typeof written === 'string' ? written : undefined;
}

/** `scope` is one string (RFC 8693, section 4.2); `scp` is what some issuers write instead, as a string or a list. */
function readScopes(claims: Claims): readonly string[] {
  const written = claims['scope'] ?? claims['scp'];
  const scopes = typeof written === 'string' ? written.split(' ') : Array.isArray(written) ? written : [];
  return scopes.filter((scope) => typeof scope === 'string' && scope !== '');
}
