import { createHash } from 'node:crypto';
import type { Dial } from '../dialer/contract.ts';
import type { SharedState } from '../state/contract.ts';
import {
  type Authenticator,
  type AuthenticatorAnswer,
  bad,
  type DpopChallenge,
  type Evidence,
  notMine,
} from './authenticator.ts';
import { BearerToken } from './bearer-token.ts';
import type { Discovery } from './discovery.ts';
import { createDpopChecker } from './dpop.ts';
import type { Introspection, Introspector } from './introspection.ts';
import type { KeySet } from './jwks.ts';
import { createKeySource } from './key-source.ts';
import { createLru } from './lru.ts';
import type { TokenOptions } from './options.ts';
import { countsAt, createAudienceJudge, type RouteAudience } from './token-audience.ts';
import { readClaims, type TokenFacts } from './token-claims.ts';
import {
  looksLikeJose,
  normaliseType,
  type PresentedToken,
  readAccessToken,
  readUnverified,
  refuseHeader,
} from './token-format.ts';
import { verifySignature } from './token-signature.ts';

/** Verified tokens that are remembered: a verification costs over 100 µs, an entry a few kilobytes. */
const remembered = 4096;

export interface ReplayMetrics {
  replayMemoryFull(upstream: string): void;
}

export interface TokenDependencies {
  readonly readFile?: (path: string) => string;
  /** Fetches an issuer's keys. Needed where they are not in a file. */
  readonly dial?: Dial | undefined;
  /** The issuer's metadata. Needed where `discovery` is configured. */
  readonly discovery?: Discovery | undefined;
  /** Upstream name -> what a token must be meant for at its route. Default: no route has an own resource. */
  readonly resources?: ReadonlyMap<string, RouteAudience>;
  /** Asks the issuer about tokens. Needed where `introspection` is configured. */
  readonly introspector?: Introspector | undefined;
  /** What DPoP nonces are made of. Needed where they are required. */
  readonly nonceKeys?: readonly Buffer[];
  /** Another entry takes tokens that are no JWT: then such a token is not bad, but not this entry's. */
  readonly opaqueElsewhere?: boolean;
  readonly metrics?: ReplayMetrics;
  /** Where several processes remember DPoP proofs together. */
  readonly state?: SharedState;
}

/** A token that its issuer vouched for. Dates, keys, audience and binding are looked at again at each use. */
interface Verified {
  readonly facts: TokenFacts;
  readonly answer: AuthenticatorAnswer & { readonly kind: 'proven' };
  /**
   * The keys that it was verified with: once the issuer's keys change, it is verified again. Undefined where the issuer
   * was asked: it is asked again at each use.
   */
  readonly keys: KeySet | undefined;
}

/** One request: what came, and how the cache knows it. */
interface Attempt extends PresentedToken {
  readonly hash: string;
  readonly evidence: Evidence;
}

/**
 * Verifies access tokens of one issuer: JWTs signed with an asymmetric key of its JWKS, and tokens that the issuer is
 * asked about.
 *
 * `not-mine` for another scheme, for a token whose `iss` is another one, and for an opaque token where this issuer's
 * do not count; whatever else is presented as an access token and does not hold is bad. At each use, remembered or
 * not, a token must be meant for the route, in force, and come with the client certificate (RFC 8705) or the DPoP
 * proof (RFC 9449) that it is bound to.
 *
 * @throws Error when the key file cannot be read
 */
export function createTokenAuthenticator(
  options: TokenOptions,
  dependencies: TokenDependencies = {},
): Authenticator {
  const { introspector, resources = new Map<string, RouteAudience>() } = dependencies;
  const keys = createKeySource(options, dependencies);
  const cache = createLru<string, Verified>(remembered);
  const judgeAudience = createAudienceJudge(options, resources);
  const dpop =
    options.dpop === undefined
      ? undefined
      : createDpopChecker(options.dpop, options.clockSkew, dependencies.nonceKeys ?? [], dependencies.state);
  const rules = {
    algorithms: new Set<string>(options.algorithms),
    types: new Set(options.typ.map(normaliseType)),
    typeRequired: options.typRequired,
  };
  const claimRules = {
    issuer: options.issuer,
    clockSkew: options.clockSkew,
    maxAge: options.maxAge,
    dpop: dpop !== undefined,
  };
  const bindings = options.requireBinding === undefined ? undefined : new Set(options.requireBinding);

  const refuse = (
    reason: string,
    { scheme }: PresentedToken,
    error: DpopChallenge['error'] = 'invalid_token',
    nonce?: string,
  ): AuthenticatorAnswer =>
    scheme === 'Bearer' || dpop === undefined
      ? bad(reason)
      : bad(reason, { scheme, error, algorithms: dpop.algorithms, nonce });

  /** Makes an entry of the claims, or finds the one that is remembered, so that its caller stays the same object. */
  function vouch(
    claims: Readonly<Record<string, unknown>>,
    keySet: KeySet | undefined,
    { token, hash, evidence }: Attempt,
  ): Verified | string {
    const known = cache.get(hash);
    if (known !== undefined && known.keys === keySet && isSame(known, claims)) return known;
    const facts = readClaims(claims, keySet === undefined ? 'opaque' : 'jwt', claimRules, evidence.time);
    if (typeof facts === 'string') return facts;
    if (bindings !== undefined && (facts.binding === undefined || !bindings.has(facts.binding.kind))) {
      return 'token-unbound';
    }
    const { principalId, credential } = facts;
    const bearer = new BearerToken(token);
    const verified: Verified = {
      facts,
      answer: Object.freeze({ kind: 'proven', principalId, credential, bearer }),
      keys: keySet,
    };
    // A token that is meant for somebody else must not drive out those that are used here.
    if (judgeAudience(evidence.upstream, facts.audiences) === undefined) cache.set(hash, verified);
    return verified;
  }

  async function verifyJwt(
    attempt: Attempt,
    source: NonNullable<typeof keys>,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<AuthenticatorAnswer> {
    const keySet = await verifySignature(attempt.token, source, options.algorithms, attempt.evidence.time);
    if (typeof keySet === 'string') return refuse(keySet, attempt);
    const verified = vouch(claims, keySet, attempt);
    return typeof verified === 'string' ? refuse(verified, attempt) : use(verified, attempt);
  }

  async function askIssuer(attempt: Attempt, asked: Introspector): Promise<AuthenticatorAnswer> {
    const said = await asked.introspect(attempt.token, attempt.evidence.time);
    if (said.active !== true) return refuse(inactiveReason(said), attempt);
    const verified = vouch(withoutToken(said.claims, attempt.token), undefined, attempt);
    return typeof verified === 'string' ? refuse(verified, attempt) : use(verified, attempt);
  }

  /** What is asked at each use of a token, however long it is known. */
  function use(verified: Verified, attempt: Attempt): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
    const { facts, answer } = verified;
    const { evidence } = attempt;
    if (evidence.time < facts.validFrom) return refuse('token-not-yet-valid', attempt);
    if (evidence.time >= facts.validUntil) {
      return refuse(facts.endsByExpiry ? 'token-expired' : 'token-too-old', attempt);
    }
    const elsewhere = judgeAudience(evidence.upstream, facts.audiences);
    if (elsewhere !== undefined) return refuse(elsewhere, attempt);
    const unheld = judgeHolder(facts, attempt);
    if (unheld !== undefined) return refuse(unheld, attempt);
    const revocable = verified.keys !== undefined && options.introspection?.always === true;
    if (!revocable && attempt.scheme === 'Bearer') return answer;
    return useSlowly(verified, attempt, revocable);
  }

  async function useSlowly(
    { facts, answer }: Verified,
    attempt: Attempt,
    revocable: boolean,
  ): Promise<AuthenticatorAnswer> {
    const { token, evidence, scheme } = attempt;
    if (revocable) {
      const said = (await introspector?.introspect(token, evidence.time, true)) ?? unanswered;
      if (said.active !== true) return refuse(inactiveReason(said), attempt);
    }
    if (scheme === 'Bearer') return answer;
    if (dpop === undefined) return refuse('token-binding-unsupported', attempt);
    // Last: what checks a proof uses it up.
    const fault = await dpop.check(evidence.dpop, {
      verb: evidence.verb,
      resource: resources.get(evidence.upstream)?.resource,
      token,
      holder: facts.principalId,
      thumbprint: facts.binding?.thumbprint ?? '',
      time: evidence.time,
    });
    if (fault === undefined) return answer;
    if (fault.reason === 'dpop-replay-memory-full') dependencies.metrics?.replayMemoryFull(evidence.upstream);
    const error = fault.reason === 'dpop-nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
    return refuse(fault.reason, attempt, error, fault.nonce);
  }

  /** A token that no key is at hand for. */
  function takeOpaque(attempt: Attempt): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
    if (introspector === undefined) {
      return dependencies.opaqueElsewhere === true ? notMine : refuse('token-malformed', attempt);
    }
    if (!countsAt(resources.get(attempt.evidence.upstream), options.issuer)) return notMine;
    return askIssuer(attempt, introspector);
  }

  return {
    kind: 'token',
    authenticate(evidence) {
      if (evidence.authorization === undefined) return notMine;
      const presented = readAccessToken(evidence.authorization);
      if (presented === undefined) return notMine;
      if (presented === 'malformed') return bad('token-malformed');
      const { scheme, token } = presented;
      if (scheme === 'DPoP' && dpop === undefined) return notMine;
      // Before anything is decoded: what is too long costs nothing more than its length.
      if (token.length > options.maxBytes) return refuse('token-too-large', presented);

      const hash = createHash('sha256').update(token).digest('base64');
      const attempt: Attempt = { scheme, token, hash, evidence };
      const known = cache.get(hash);
      if (known?.keys !== undefined && known.keys === keys?.current(evidence.time)) {
        return use(known, attempt);
      }

      const unverified = readUnverified(token);
      if (unverified === undefined) {
        return looksLikeJose(token) ? refuse('token-malformed', attempt) : takeOpaque(attempt);
      }
      if (unverified.payload['iss'] !== options.issuer) return notMine;
      if (!countsAt(resources.get(evidence.upstream), options.issuer)) {
        return refuse('token-issuer', attempt);
      }
      if (keys === undefined) return takeOpaque(attempt);
      const refusal = refuseHeader(unverified.header, rules);
      return refusal === undefined ? verifyJwt(attempt, keys, unverified.payload) : refuse(refusal, attempt);
    },
    async reload() {
      await Promise.all([keys?.reload(), introspector?.reload()]);
    },
    close() {
      keys?.close();
      introspector?.close();
    },
  };
}

const unanswered: Introspection = { unavailable: true };

function inactiveReason(said: Exclude<Introspection, { active: true }>): string {
  return said.active === false ? 'token-inactive' : 'token-introspection-unavailable';
}

/**
 * Issuers that keep opaque tokens under their own text repeat it as `jti`. Claims are shown to policy, to servers in
 * assertions, and in records: a member that holds the token is left out.
 */
function withoutToken(
  claims: Readonly<Record<string, unknown>>,
  token: string,
): Readonly<Record<string, unknown>> {
  const kept = Object.entries(claims).filter(([, value]) => !JSON.stringify(value)?.includes(token));
  return Object.fromEntries(kept);
}

/** Claims that the issuer repeats word for word are those of the same token. */
function isSame(known: Verified, claims: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(known.facts.credential.claims) === JSON.stringify(claims);
}

/** @returns why whoever came with the token is not its holder; whether a DPoP proof holds is asked afterwards */
function judgeHolder({ binding }: TokenFacts, { scheme, evidence }: Attempt): string | undefined {
  if (scheme === 'DPoP') return binding?.kind === 'dpop' ? undefined : 'dpop-token-unbound';
  if (binding === undefined) return undefined;
  // A thief has the token, but not the key: Bearer would let him in (RFC 9449, section 7.2).
  if (binding.kind === 'dpop') return 'dpop-scheme';
  const fingerprint = evidence.peer.tls?.certificate?.fingerprint256;
  if (fingerprint === undefined) return 'token-binding';
  return Buffer.from(fingerprint, 'hex').toString('base64url') === binding.thumbprint
    ? undefined
    : 'token-binding';
}
