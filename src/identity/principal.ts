/** One proven credential. Policy bindings match on these. */
export type Credential =
  | {
      readonly kind: 'certificate';
      readonly fingerprint256: string;
      readonly serial: string;
      readonly commonName: string | undefined;
      readonly uris: readonly string[];
      readonly dns: readonly string[];
      /** SHA-256 over the DER of the CA certificate that anchors its chain, lower-case hex. */
      readonly anchorFingerprint256: string;
      /** Milliseconds since the epoch. */
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'token';
      readonly issuer: string;
      readonly subject: string;
      readonly scopes: readonly string[];
      readonly claims: { readonly [name: string]: unknown };
      /** `jti`: what a deny list names it by. Undefined where the issuer gives none. */
      readonly tokenId: string | undefined;
      /** `client_id` or `azp`: the OAuth client that it was issued to. A workload is its own subject. */
      readonly clientId: string | undefined;
      /** What its holder proves beside it: a TLS client certificate (RFC 8705) or a DPoP key (RFC 9449). */
      readonly bound: 'certificate' | 'dpop' | undefined;
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'apiKey';
      readonly name: string;
      /** The eight public characters after `spk_`. */
      readonly prefix: string;
      /** Roles that the key file itself gives to this key. */
      readonly roles: readonly string[];
      readonly expiresAt: number | undefined;
    }
  | { readonly kind: 'anonymous' };

/** Who authentication says is calling. */
export interface Principal {
  /**
   * One canonical name, injective over credential kinds and issuers, e.g. `spiffe://acme.example/ns/data/sa/etl`,
   * `token:https://idp.example#alice`, `apikey:nightly-report`, `anonymous`. Sessions, limits and handles bind to it.
   */
  readonly id: string;
  /** Every credential that was proven, at least one. */
  readonly credentials: readonly Credential[];
  /** When the first of them expires: streams end then. Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}
