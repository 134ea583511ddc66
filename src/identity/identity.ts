import { GatewayError } from '../errors.ts';
import { createApiKeyAuthenticator } from './api-key.ts';
import type { Authenticator, AuthenticatorAnswer, CredentialKind, Evidence } from './authenticator.ts';
import type { BearerToken } from './bearer-token.ts';
import { createCertificateAuthenticator } from './certificate.ts';
import { challengeFor } from './challenge.ts';
import type { FetchJwks } from './jwks-fetch.ts';
import type { IdentityOptions } from './options.ts';
import type { Credential, Principal } from './principal.ts';
import { anonymousId, joinIds } from './principal-id.ts';
import { createTokenAuthenticator } from './token.ts';

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
    };

export interface Identity {
  /**
   * Names the caller. Never throws and never rejects: what goes wrong inside is a refusal.
   *
   * Answers without a promise where everything that was presented is remembered. The same credentials give the same
   * `Principal` object for as long as they are remembered.
   */
  authenticate(evidence: Evidence): Authentication | Promise<Authentication>;
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
  /** Fetches an issuer's keys. Default: the platform's fetch. */
  readonly fetch?: FetchJwks;
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
  const authenticators = options.authenticators.map((entry) => toAuthenticator(entry, dependencies));
  const apiKeyHeader = options.authenticators.find((entry) => entry.apiKeys !== undefined)?.apiKeys?.header;
  return combine(authenticators, { ...options, apiKeyHeader });
}

function toAuthenticator(
  entry: IdentityOptions['authenticators'][number],
  dependencies: IdentityDependencies,
): Authenticator {
  if (entry.certificate !== undefined) return createCertificateAuthenticator(entry.certificate, dependencies);
  if (entry.token !== undefined) return createTokenAuthenticator(entry.token, dependencies);
  if (entry.apiKeys !== undefined) return createApiKeyAuthenticator(entry.apiKeys, dependencies);
  throw new TypeError('An identity entry names no authenticator');
}

/** Makes one identity of several authenticators. `createIdentity` is this with authenticators made from options. */
export function combine(
  authenticators: readonly Authenticator[],
  options: Pick<IdentityOptions, 'require' | 'anonymous'> & { readonly apiKeyHeader?: string | undefined },
): Identity {
  const requirement = toRequirement(authenticators, options.require);
  const principals = createPrincipals();
  const anonymous = options.anonymous === undefined ? undefined : anonymousPrincipal(options.anonymous);

  function refuse(code: 'credential-missing' | 'credential-invalid', reason: string, evidence: Evidence) {
    const challenge = challengeFor(requirement.kinds, evidence, options.apiKeyHeader);
    const error = new GatewayError(code, {
      headers: { 'WWW-Authenticate': challenge },
      cause: new CredentialRefused(reason),
    });
    return { ok: false, error, reason } as const;
  }

  function conclude(answers: readonly AuthenticatorAnswer[], evidence: Evidence): Authentication {
    const proven: Proven[] = [];
    const kinds = new Set<CredentialKind>();
    for (const [index, answer] of answers.entries()) {
      if (answer.kind === 'bad') return refuse('credential-invalid', answer.reason, evidence);
      if (answer.kind === 'proven') {
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
    return { ok: true, principal: principals.of(proven) };
  }

  return {
    authenticate(evidence) {
      const answers = authenticators.map((authenticator) => ask(authenticator, evidence));
      if (answers.some((answer) => answer instanceof Promise)) {
        return Promise.all(answers).then((settled) => conclude(settled, evidence));
      }
      return conclude(answers as readonly AuthenticatorAnswer[], evidence);
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

/** Its code is the reason, which so stands in the record's `cause`. */
class CredentialRefused extends Error {
  readonly code: string;

  constructor(reason: string) {
    super(reason);
    this.name = 'CredentialRefused';
    this.code = reason;
  }
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

type Proven = AuthenticatorAnswer & { readonly kind: 'proven' };

interface Branch {
  principal: Principal | undefined;
  readonly next: WeakMap<Credential, Branch>;
}

/**
 * Remembers the Principal of each sequence of credential objects, so that policy can remember the roles of each
 * Principal. Needs no bound of its own: an entry goes when the authenticators' bounded caches let go of a credential.
 */
function createPrincipals(): { of(proven: readonly Proven[]): Principal } {
  const root: Branch = { principal: undefined, next: new WeakMap() };
  return {
    of(proven) {
      let branch = root;
      for (const { credential } of proven) {
        let next = branch.next.get(credential);
        if (next === undefined) {
          next = { principal: undefined, next: new WeakMap() };
          branch.next.set(credential, next);
        }
        branch = next;
      }
      branch.principal ??= toPrincipal(proven);
      return branch.principal;
    },
  };
}

function toPrincipal(proven: readonly Proven[]): Principal {
  let expiresAt: number | undefined;
  for (const { credential } of proven) {
    if (credential.kind === 'anonymous' || credential.expiresAt === undefined) continue;
    expiresAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, credential.expiresAt);
  }
  return Object.freeze({
    id: joinIds(proven.map(({ principalId }) => principalId)),
    credentials: Object.freeze(proven.map(({ credential }) => credential)),
    expiresAt,
  });
}
