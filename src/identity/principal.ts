/** One proven credential. Policy bindings match on these. */
export type Credential =
  | {
      readonly kind: 'certificate';
      readonly fingerprint256: string;
      readonly serial: string;
      readonly commonName: string | undefined;
      readonly uris: readonly string[];
      readonly dns: readonly string[];
      /** Milliseconds since the epoch. */
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'token';
      readonly issuer: string;
      readonly subject: string;
      readonly scopes: readonly string[];
      readonly claims: { readonly [name: string]: unknown };
      readonly expiresAt: number;
    }
  | { readonly kind: 'apiKey'; readonly name: string; readonly expiresAt: number | undefined }
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
