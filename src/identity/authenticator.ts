import type { BearerToken } from './bearer-token.ts';
import type { Peer } from './peer.ts';
import type { Credential } from './principal.ts';

/** The kinds of credential that `identity:` can configure. Named the same in `require:` and in `Credential`. */
export type CredentialKind = 'certificate' | 'token' | 'apiKey';

/** All that a caller offers to prove who it is. Nothing in it has been verified but the TLS handshake. */
export interface Evidence {
  readonly peer: Peer;
  /** The one value of `Authorization`; undefined if absent. Repeated headers were refused before. */
  readonly authorization: string | undefined;
  /** The one value of the API key header; undefined if absent. Repeated headers were refused before. */
  readonly apiKey: string | undefined;
  /** The one value of `DPoP` (RFC 9449, section 4.1); undefined if absent. Repeated headers were refused before. */
  readonly dpop: string | undefined;
  /** HTTP method of the request: what a DPoP proof is about. */
  readonly verb: string;
  /** Name of the upstream that was asked for: its resource is what a token must be meant for. */
  readonly upstream: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/**
 * What one authenticator says.
 *
 * `not-mine`: nothing here is addressed to it. `bad`: something is, and it does not hold; the whole request fails,
 * whatever else was proven. A proven answer is the same object for as long as the credential is remembered.
 */
export type AuthenticatorAnswer =
  | { readonly kind: 'not-mine' }
  | {
      readonly kind: 'bad';
      /** One stable kebab-case word, for the audit; a client never sees it. */
      readonly reason: string;
      /** What the 401 must say beside what every 401 says. */
      readonly challenge?: DpopChallenge | undefined;
    }
  | {
      readonly kind: 'proven';
      readonly credential: Credential;
      readonly principalId: string;
      /** The access token, where it is one that was proven. */
      readonly bearer?: BearerToken | undefined;
    };

/** What a client that came with the scheme `DPoP` is told (RFC 9449, sections 7.1 and 9). */
export interface DpopChallenge {
  readonly scheme: 'DPoP';
  readonly error: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce';
  /** Signature algorithms of proofs: the parameter `algs`. */
  readonly algorithms: readonly string[];
  /** Value of the `DPoP-Nonce` header. Undefined where nonces are not asked for. */
  readonly nonce: string | undefined;
}

export interface Authenticator {
  readonly kind: CredentialKind;
  authenticate(evidence: Evidence): AuthenticatorAnswer | Promise<AuthenticatorAnswer>;
  /**
   * What has become of a credential that it proved before, since its files were read again. Absent: nothing can become
   * of one before it expires.
   */
  recheck?(credential: Credential): CredentialStanding;
  /**
   * Reads its files and keys again.
   *
   * @throws Error when they cannot be used; what was loaded before then stays
   */
  reload?(): Promise<void>;
  close?(): void;
}

/** What a credential is worth now. `expiresAt` may be another than when it was proven. */
export type CredentialStanding =
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'good'; readonly expiresAt: number | undefined };

export const notMine: AuthenticatorAnswer = Object.freeze({ kind: 'not-mine' });

export function bad(reason: string, challenge?: DpopChallenge): AuthenticatorAnswer {
  return challenge === undefined ? { kind: 'bad', reason } : { kind: 'bad', reason, challenge };
}
