import { createHash } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import {
  type Authenticator,
  type AuthenticatorAnswer,
  bad,
  type Evidence,
  notMine,
} from './authenticator.ts';
import { createFileKeys, createRemoteKeys, type KeySet, type KeySource } from './jwks.ts';
import type { FetchJwks } from './jwks-fetch.ts';
import { createLru } from './lru.ts';
import type { TokenOptions } from './options.ts';
import { tokenId } from './principal-id.ts';
import { normaliseType, readBearer, readUnverified, refuseHeader } from './token-format.ts';

/** Verified tokens that are remembered: a verification costs over 100 µs, an entry a few kilobytes. */
const remembered = 4096;

/** A token whose signature and claims were good. Its dates, keys and binding are looked at again at each use. */
interface Verified {
  readonly answer: AuthenticatorAnswer & { readonly kind: 'proven' };
  /** The keys that it was verified with: once the issuer's keys change, it is verified again. */
  readonly keys: KeySet;
  readonly validFrom: number;
  readonly validUntil: number;
  /** `cnf.x5t#S256` (RFC 8705): the token is only good together with this client certificate. */
  readonly certificateThumbprint: string | undefined;
}

/**
 * Verifies bearer tokens of one issuer: JWTs signed with an asymmetric key of its JWKS.
 *
 * `not-mine` for another scheme, and for a token whose `iss` is another one; whatever else is presented as a bearer
 * token and does not hold is bad. Bound tokens are accepted with the client certificate that they name and never
 * without; tokens bound in another way (DPoP) never, because the proof is not checked here.
 *
 * @throws Error when the key file cannot be read
 */
export function createTokenAuthenticator(
  options: TokenOptions,
  dependencies: { readonly readFile?: (path: string) => string; readonly fetch?: FetchJwks } = {},
): Authenticator {
  const keys = toKeySource(options, dependencies);
  const cache = createLru<string, Verified>(remembered);
  const rules = {
    algorithms: new Set<string>(options.algorithms),
    types: new Set(options.typ.map(normaliseType)),
    typeRequired: options.typRequired,
  };

  async function verify(token: string, hash: string, evidence: Evidence): Promise<AuthenticatorAnswer> {
    if (keys.current(evidence.time) === undefined) await keys.refresh(evidence.time);
    let set = keys.current(evidence.time);
    if (set === undefined) return bad('token-keys-unavailable');
    let result = await verifyWith(token, set, options, evidence.time);
    if (result === 'token-key-unknown') {
      await keys.refresh(evidence.time);
      const newer = keys.current(evidence.time);
      if (newer === undefined) return bad('token-keys-unavailable');
      if (newer !== set) {
        set = newer;
        result = await verifyWith(token, set, options, evidence.time);
      }
    }
    if (typeof result === 'string') return bad(result);
    // Two requests may have verified the same token at once: both get the answer of the first.
    const earlier = cache.get(hash);
    if (earlier?.keys === set) return use(earlier, evidence);
    cache.set(hash, result);
    return use(result, evidence);
  }

  return {
    kind: 'token',
    authenticate(evidence) {
      if (evidence.authorization === undefined) return notMine;
      const bearer = readBearer(evidence.authorization);
      if (bearer === undefined) return notMine;
      if (bearer === 'malformed') return bad('token-malformed');
      const { token } = bearer;
      // Before anything is decoded: what is too long costs nothing more than its length.
      if (token.length > options.maxBytes) return bad('token-too-large');

      const hash = createHash('sha256').update(token).digest('base64');
      const known = cache.get(hash);
      if (known !== undefined) {
        if (evidence.time < known.validUntil && known.keys === keys.current(evidence.time)) {
          return use(known, evidence);
        }
        cache.delete(hash);
      }

      const unverified = readUnverified(token);
      if (unverified === undefined) return bad('token-malformed');
      if (unverified.issuer !== options.issuer) return notMine;
      const refusal = refuseHeader(unverified.header, rules);
      return refusal === undefined ? verify(token, hash, evidence) : bad(refusal);
    },
    reload: () => keys.reload(),
    close: () => keys.close(),
  };
}

function toKeySource(
  options: TokenOptions,
  dependencies: { readonly readFile?: (path: string) => string; readonly fetch?: FetchJwks },
): KeySource {
  if (options.keys !== undefined) return createFileKeys(options.keys, dependencies.readFile);
  if (options.jwks === undefined) throw new TypeError('A token entry needs jwks or keys');
  return createRemoteKeys({ ...options, url: options.jwks }, dependencies.fetch ?? fetch);
}

function use(verified: Verified, { peer, time }: Evidence): AuthenticatorAnswer {
  if (time < verified.validFrom) return bad('token-not-yet-valid');
  if (time >= verified.validUntil) return bad('token-expired');
  if (verified.certificateThumbprint !== undefined) {
    const fingerprint = peer.tls?.certificate?.fingerprint256;
    const thumbprint =
      fingerprint === undefined ? undefined : Buffer.from(fingerprint, 'hex').toString('base64url');
    if (thumbprint !== verified.certificateThumbprint) return bad('token-binding');
  }
  return verified.answer;
}

async function verifyWith(
  token: string,
  keys: KeySet,
  options: TokenOptions,
  time: number,
): Promise<Verified | string> {
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, keys.getKey, {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: [...options.algorithms],
      clockTolerance: options.clockSkew / 1000,
      currentDate: new Date(time),
      requiredClaims: ['exp', 'sub'],
      ...(options.maxAge === undefined ? {} : { maxTokenAge: options.maxAge / 1000 }),
    }));
  } catch (error) {
    return toReason(error);
  }
  return readClaims(payload, keys, options, time);
}

function readClaims(
  payload: JWTPayload,
  keys: KeySet,
  options: TokenOptions,
  time: number,
): Verified | string {
  const { sub, exp, nbf, iat } = payload;
  // A control character or half a surrogate pair would read differently in a log, an id or a policy.
  if (typeof sub !== 'string' || sub === '' || sub.length > 512) return 'token-subject';
  if (!sub.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(sub)) return 'token-subject';
  if (typeof exp !== 'number') return 'token-claims';
  if (iat !== undefined && typeof iat !== 'number') return 'token-claims';
  if (iat !== undefined && iat * 1000 > time + options.clockSkew) return 'token-issued-in-future';
  const thumbprint = readBinding(payload['cnf']);
  if (thumbprint === 'unsupported') return 'token-binding-unsupported';
  const expiresAt = Math.min(
    exp * 1000 + options.clockSkew,
    iat === undefined || options.maxAge === undefined
      ? Number.POSITIVE_INFINITY
      : iat * 1000 + options.maxAge + options.clockSkew,
  );
  if (!Number.isFinite(expiresAt)) return 'token-claims';
  return {
    keys,
    validFrom: (nbf ?? Number.NEGATIVE_INFINITY) * 1000 - options.clockSkew,
    validUntil: expiresAt,
    certificateThumbprint: thumbprint?.certificate,
    answer: Object.freeze({
      kind: 'proven',
      principalId: tokenId(options.issuer, sub),
      credential: Object.freeze({
        kind: 'token',
        issuer: options.issuer,
        subject: sub,
        scopes: Object.freeze(readScopes(payload)),
        claims: Object.freeze({ ...payload }),
        tokenId: typeof payload.jti === 'string' ? payload.jti : undefined,
        clientId: readClientId(payload),
        bound: thumbprint === undefined ? undefined : 'certificate',
        expiresAt,
      }),
    }),
  };
}

/** The certificate that a token is bound to; undefined where it is bound to nothing. */
function readBinding(cnf: unknown): { readonly certificate: string } | 'unsupported' | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null) return 'unsupported';
  const entries = Object.entries(cnf);
  const [name, value] = entries[0] ?? [];
  if (entries.length !== 1 || name !== 'x5t#S256' || typeof value !== 'string') return 'unsupported';
  return { certificate: value };
}

/** `client_id` (RFC 9068, section 2.2); `azp` is what OpenID providers write instead. */
function readClientId(payload: JWTPayload): string | undefined {
  const written = payload['client_id'] ?? payload['azp'];
  return typeof written === 'string' ? written : undefined;
}

/** `scope` is one string (RFC 8693, section 4.2); `scp` is what some issuers write instead, as a string or a list. */
function readScopes(payload: JWTPayload): readonly string[] {
  const written = payload['scope'] ?? payload['scp'];
  const scopes = typeof written === 'string' ? written.split(' ') : Array.isArray(written) ? written : [];
  return scopes.filter((scope) => typeof scope === 'string' && scope !== '');
}

const claimReasons: ReadonlyMap<string, string> = new Map([
  ['aud', 'token-audience'],
  ['iss', 'token-issuer'],
  ['nbf', 'token-not-yet-valid'],
  ['sub', 'token-subject'],
  ['exp', 'token-expiry-missing'],
]);

function toReason(error: unknown): string {
  if (error instanceof errors.JWTExpired) return error.claim === 'iat' ? 'token-too-old' : 'token-expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iat' && error.reason === 'check_failed') return 'token-issued-in-future';
    return claimReasons.get(error.claim) ?? 'token-claims';
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token-signature';
  if (error instanceof errors.JWKSNoMatchingKey) return 'token-key-unknown';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'token-key-ambiguous';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'token-algorithm';
  return 'token-invalid';
}
