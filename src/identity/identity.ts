import type { Dial } from '../dialer/contract.ts';
import { GatewayError } from '../errors.ts';
import type { SharedState } from '../state/contract.ts';
import { createApiKeyAuthenticator } from './api-key.ts';
import type {
  Authenticator,
  AuthenticatorAnswer,
  CredentialKind,
  DpopChallenge,
  Evidence,
} from './authenticator.ts';
import type { BearerToken } from './bearer-token.ts';
import { createCertificateAuthenticator } from './certificate.ts';
import { challengeFor } from './challenge.ts';
import { CredentialRefused } from './credential-refused.ts';
import type { IdentityOptions } from './options.ts';
import type { Principal } from './principal.ts';
import { anonymousId } from './principal-id.ts';
import { createPrincipals, type Proven } from './principals.ts';
import { describeResource, type ProtectedResource } from './protected-resource.ts';
import type { Revocations } from './revocations.ts';
import type { ReplayMetrics } from './token.ts';
import { createTokenAuthenticators } from './token-authenticators.ts';

export type { Authenticator, AuthenticatorAnswer, Evidence } from './authenticator.ts';

/** Who is calling, or why nobody can say. */
export type Authentication =
  | {
      readonly ok: true;
      readonly principal: Principal;
      /** The access token among what was proven. */
      readonly bearer?: BearerToken | undefined;
    }
  | {
      readonly ok: false;
      /** 401 with `WWW-Authenticate`. */
      readonly error: GatewayError;
      /** One stable kebab-case word, for the audit; a client never sees it. */
      readonly reason: string;
      /**
       * At a route with `authorization`: the same answer, asking for these scopes. Undefined elsewhere, where `error` is
       * the whole answer.
       */
      readonly asking?: ((scopes: readonly string[]) => GatewayError) | undefined;
    };

/** What has become of a principal. */
export type Standing =
  | {
      readonly ok: true;
      /** When the first of its credentials expires, as things stand now. Milliseconds since the epoch. */
      readonly expiresAt: number | undefined;
    }
  | { readonly ok: false; readonly error: GatewayError };

export interface Identity {
  /**
   * Names the caller. Never throws and never rejects: what goes wrong inside is a refusal.
   *
   * Answers without a promise where everything that was presented is remembered. The same credentials give the same
   * `Principal` object for as long as they are remembered.
   */
  authenticate(evidence: Evidence): Authentication | Promise<Authentication>;
  /**
   * What a principal that was let in is worth now: after {@link reload}, and after the deny list was read again. Tells
   * nothing new of a credential that merely expires in its time.
   *
   * @param upstream whose challenge a refusal carries
   */
  recheck(principal: Principal, upstream: string): Standing;
  /**
   * Reads key files and trust anchors again, and asks issuers for their keys.
   *
   * @throws AggregateError when some could not be read: those keep what they had, the others are new
   */
  reload(): Promise<void>;
  close(): void;
}

export interface IdentityDependencies {
  /** Reads a text file at start and on reload. Default: the file system. */
  readonly readFile?: (path: string) => string;
  /** Fetches what issuers publish and asks them. Needed where keys are not in files. */
  readonly dial?: Dial;
  /** The deny list. Default: nothing is revoked. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>;
  /** What DPoP nonces are made of; the first makes them. Default: a key of this process alone. */
  readonly nonceKeys?: readonly Buffer[];
  /** Told of each DPoP proof that was refused because no further one could be remembered. */
  readonly metrics?: ReplayMetrics;
  /** Where several processes remember proofs together. Absent: there is one process. */
  readonly state?: SharedState;
}

interface Requirement {
  readonly alternatives: readonly ReadonlySet<CredentialKind>[];
  readonly kinds: ReadonlySet<CredentialKind>;
}

/**
 * Makes the gateway's authentication from its options.
 *
 * Every credential that is presented must be good: a bad one fails the request whatever else was proven, and an
 * `Authorization` header or API key that no authenticator claims is bad, not ignored. A client certificate counts as
 * presented only where `certificate` is configured; otherwise it belongs to the listener alone.
 *
 * @throws Error when a file is missing or wrong, or `require` names a kind that is not configured
 */
export function createIdentity(options: IdentityOptions, dependencies: IdentityDependencies = {}): Identity {
  const ofToken = createTokenAuthenticators(options, dependencies);
  const authenticators = options.authenticators.map((entry) =>
    entry.token === undefined ? toAuthenticator(entry, dependencies) : ofToken(entry.token),
  );
  const apiKeyHeader = options.authenticators.find((entry) => entry.apiKeys !== undefined)?.apiKeys?.header;
  const tokens = options.authenticators.flatMap(({ token }) => (token === undefined ? [] : [token]));
  const routes = new Map(
    [...(options.resources ?? [])].map(([name, resource]) => [
      name,
      describeResource(resource, tokens, false),
    ]),
  );
  const { revocations } = dependencies;
  return combine(authenticators, { ...options, apiKeyHeader, routes, revocations });
}

function toAuthenticator(
  entry: IdentityOptions['authenticators'][number],
  dependencies: IdentityDependencies,
): Authenticator {
  if (entry.certificate !== undefined) return createCertificateAuthenticator(entry.certificate, dependencies);
  if (entry.apiKeys !== undefined) return createApiKeyAuthenticator(entry.apiKeys, dependencies);
  throw new TypeError('An identity entry names no authenticator');
}

/** Makes one identity of several authenticators. `createIdentity` is this with authenticators made from options. */
export function combine(
  authenticators: readonly Authenticator[],
  options: Pick<IdentityOptions, 'require' | 'anonymous'> & {
    readonly apiKeyHeader?: string | undefined;
    /** Routes that are OAuth resources, by the name of their upstream. */
    readonly routes?: ReadonlyMap<string, ProtectedResource>;
    readonly revocations?: Pick<Revocations, 'isRevoked'> | undefined;
  },
): Identity {
  const requirement = toRequirement(authenticators, options.require);
  const principals = createPrincipals();
  const anonymous = options.anonymous === undefined ? undefined : anonymousPrincipal(options.anonymous);

  function refuse(
    code: 'credential-missing' | 'credential-invalid',
    reason: string,
    evidence: Evidence,
    dpop?: DpopChallenge,
  ) {
    const resource = options.routes?.get(evidence.upstream);
    const errorFor = (scopes: readonly string[]): GatewayError => {
      const details = { apiKeyHeader: options.apiKeyHeader, resource, scopes, dpop };
      return new GatewayError(code, {
        headers: {
          'WWW-Authenticate': challengeFor(requirement.kinds, evidence, details),
          ...(dpop?.nonce === undefined ? {} : { 'DPoP-Nonce': dpop.nonce }),
        },
        cause: new CredentialRefused(reason),
      });
    };
    const error = errorFor(resource?.scopes ?? []);
    return { ok: false, error, reason, asking: resource === undefined ? undefined : errorFor } as const;
  }

  function conclude(answers: readonly AuthenticatorAnswer[], evidence: Evidence): Authentication {
    const proven: Proven[] = [];
    const kinds = new Set<CredentialKind>();
    for (const [index, answer] of answers.entries()) {
      if (answer.kind === 'bad') {
        return refuse('credential-invalid', answer.reason, evidence, answer.challenge);
      }
      if (answer.kind === 'proven') {
        // Here, and not where it was verified: that is remembered, and must not outlive a revocation.
        if (options.revocations?.isRevoked(answer.credential) !== undefined) {
          return refuse('credential-invalid', 'revoked', evidence);
        }
        proven.push(answer);
        kinds.add(authenticators[index]!.kind);
      }
    }
    // A header that everybody skips would otherwise let a broken credential pass as "nothing presented".
    if (evidence.authorization !== undefined && !kinds.has('token')) {
      return refuse('credential-invalid', 'authorization-unclaimed', evidence);
    }
    if (evidence.apiKey !== undefined && !kinds.has('apiKey')) {
      return refuse('credential-invalid', 'api-key-unclaimed', evidence);
    }
    if (proven.length === 0) {
      if (anonymous !== undefined) return { ok: true, principal: anonymous };
      return refuse('credential-missing', 'nothing-presented', evidence);
    }
    if (!requirement.alternatives.some((alternative) => [...alternative].every((kind) => kinds.has(kind)))) {
      return refuse('credential-missing', 'credentials-insufficient', evidence);
    }
    const bearer = proven.find((answer) => answer.bearer !== undefined)?.bearer;
    return { ok: true, principal: principals.of(proven), bearer };
  }

  return {
    authenticate(evidence) {
      const answers = authenticators.map((authenticator) => ask(authenticator, evidence));
      if (answers.some((answer) => answer instanceof Promise)) {
        return Promise.all(answers).then((settled) => conclude(settled, evidence));
      }
      return conclude(answers as readonly AuthenticatorAnswer[], evidence);
    },
    recheck(principal, upstream) {
      const gone = (reason: string): Standing => {
        // As if it had come again with the same credential: that is what the challenge is about.
        const presented = principal.credentials.some(({ kind }) => kind === 'token') ? 'Bearer' : undefined;
        return {
          ok: false,
          error: refuse('credential-invalid', reason, evidenceFor(upstream, presented)).error,
        };
      };
      let expiresAt: number | undefined;
      for (const credential of principal.credentials) {
        if (credential.kind === 'anonymous') continue;
        if (options.revocations?.isRevoked(credential) !== undefined) return gone('revoked');
        const authenticator = authenticators.find(({ kind, recheck }) => kind === credential.kind && recheck);
        const standing = authenticator?.recheck?.(credential) ?? {
          kind: 'good',
          expiresAt: credential.expiresAt,
        };
        if (standing.kind === 'bad') return gone(standing.reason);
        if (standing.expiresAt === undefined) continue;
        expiresAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, standing.expiresAt);
      }
      return { ok: true, expiresAt };
    },
    async reload() {
      const results = await Promise.allSettled(
        authenticators.map((authenticator) => authenticator.reload?.()),
      );
      const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      if (failures.length > 0) throw new AggregateError(failures, 'Some credentials could not be read again');
    },
    close() {
      for (const authenticator of authenticators) authenticator.close?.();
    },
  };
}

/** What a challenge is made for where there is no request: nothing of it is looked at but these two. */
function evidenceFor(upstream: string, authorization: string | undefined): Evidence {
  const peer = { address: 'unknown', port: 0, tls: undefined };
  return { peer, authorization, apiKey: undefined, dpop: undefined, verb: 'POST', upstream, time: 0 };
}

/** Asks one authenticator. A throw is a bad credential: a broken check refuses. */
function ask(
  authenticator: Authenticator,
  evidence: Evidence,
): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
  try {
    const answer = authenticator.authenticate(evidence);
    return answer instanceof Promise ? answer.catch(failed) : answer;
  } catch {
    return failed();
  }
}

function failed(): AuthenticatorAnswer {
  return { kind: 'bad', reason: 'authenticator-failed' };
}

function toRequirement(
  authenticators: readonly Authenticator[],
  require: IdentityOptions['require'],
): Requirement {
  const kinds = new Set(authenticators.map((authenticator) => authenticator.kind));
  const alternatives =
    require === undefined
      ? [...kinds].map((kind) => new Set([kind]))
      : require.map((names) => new Set(names));
  for (const alternative of alternatives) {
    // An empty set is a subset of everything: it would let any one credential in.
    if (alternative.size === 0) throw new TypeError('An alternative of require is empty');
    for (const kind of alternative) {
      if (!kinds.has(kind)) throw new Error(`require names ${kind}, but identity does not configure it`);
    }
  }
  return { alternatives, kinds };
}

function anonymousPrincipal(name: string): Principal {
  return Object.freeze({
    id: anonymousId(name),
    credentials: Object.freeze([Object.freeze({ kind: 'anonymous' as const })]),
    expiresAt: undefined,
  });
}
