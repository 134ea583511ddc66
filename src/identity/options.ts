import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { isApiKeyHeader } from './api-key-format.ts';
import { introspectionOptions } from './introspection-options.ts';
import { isIssuerEndpoint, isIssuerUrl } from './issuer-url.ts';
import type { ResourceOptions } from './resource-options.ts';
import { isTrustDomain } from './spiffe.ts';

export { isIssuerUrl } from './issuer-url.ts';
export { type ResourceOptions, resourceOptions } from './resource-options.ts';
export { type RevocationsOptions, revocationsOptions } from './revocation-options.ts';

const file = z.string().min(1).meta({ title: 'file' });

/** Where a certificate's principal may be read from. */
export type CertificateName = 'spiffe' | 'dns' | 'uri' | 'cn';

export const certificateOptions = z.strictObject({
  principal: z
    .array(z.enum(['spiffe', 'dns', 'uri', 'cn']))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'Name each kind once')
    .prefault(['spiffe'])
    .describe(
      'Which names may become the principal, in order of preference. Only `spiffe` by default, because its form is ' +
        'checked and its trust domain can be bound to a CA; the others mean what the issuing CA lets them mean.',
    ),
  trust: z
    .array(
      z.strictObject({
        domain: z
          .string()
          .refine(isTrustDomain, 'Not a SPIFFE trust domain: lower-case letters, digits, . _ -')
          .describe('SPIFFE trust domain, such as `acme.example`.'),
        ca: file.describe('The root that may vouch for it, in PEM.'),
      }),
    )
    .min(1)
    .optional()
    .describe(
      'Which CA may vouch for which SPIFFE trust domain. Absent, every CA of the listener may vouch for every domain: ' +
        "right for one CA, wrong for two, because each could then name the other's workloads.",
    ),
});

/** Asymmetric signatures only: with HS* whoever can check a token can make one, and `none` is no signature at all. */
const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** Five minutes: the most that MCP's profile of DPoP grants. */
const longestProofWindow = 300_000;

export const dpopOptions = z.strictObject({
  algorithms: z
    .array(z.enum(signatureAlgorithms))
    .min(1)
    .prefault(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'])
    .describe(
      'Signature algorithms of proofs. Asymmetric ones only. The client chooses its key, so the default names one of ' +
        'each family, without the ones that nobody uses.',
    ),
  window: duration({ min: 1000, max: longestProofWindow })
    .prefault('60s')
    .describe(
      'How old a proof may be. Default 60s, at most 5m: each proof is remembered for that long, and one that was never ' +
        'sent may be used by a thief for that long.',
    ),
  replay: z
    .int()
    .min(100)
    .max(10_000_000)
    .prefault(100_000)
    .describe(
      'Most proofs remembered, so that each passes once. When full, further ones are refused. Default 100000: about ' +
        '1600 requests a second at the default window, in some 20 MiB.',
    ),
  nonce: z
    .enum(['none', 'required'])
    .prefault('none')
    .describe(
      '`required`: a proof must carry a nonce of this gateway, so that none can be made in advance. Costs a client one ' +
        'more request in each window. Default none. Nonces are made with the session keys: replicas must share them.',
    ),
});

export const tokenOptions = z
  .strictObject({
    issuer: z.string().min(1).max(2048).describe('Compared with `iss` character by character.'),
    audience: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe(
        'A token must be meant for one of these at routes that have no `authorization`, and must not be left out while ' +
          'there are any. Elsewhere `authorization.resource` counts. Never a name that other services share: their ' +
          'tokens would open this door.',
      ),
    algorithms: z
      .array(z.enum(signatureAlgorithms))
      .min(1)
      .prefault(['ES256', 'RS256'])
      .describe(
        'Signature algorithms. Asymmetric ones only. Default `ES256` and `RS256`, because nearly every issuer signs ' +
          'with one of them.',
      ),
    jwks: z
      .string()
      .refine(isIssuerEndpoint, 'Must be an https URL without user info, or http on a loopback host')
      .optional()
      .describe(
        'Where the issuer publishes its keys: https, or http on a loopback host. One of `jwks`, `keys` and `discovery`.',
      ),
    keys: file.optional().describe('A JWKS file, instead of `jwks`.'),
    discovery: z
      .literal(true)
      .optional()
      .describe(
        'Instead of `jwks`: `issuer` is a URL, and its metadata (RFC 8414, OpenID Connect Discovery) name where the keys ' +
          'are. They must carry this very issuer, character by character.',
      ),
    introspection: introspectionOptions
      .optional()
      .describe(
        'Asks the issuer about tokens that are no JWT (RFC 7662). Absent: such tokens are refused. With it, keys may be ' +
          'left out.',
      ),
    typ: z
      .array(z.string().min(1))
      .min(1)
      .prefault(['at+jwt', 'JWT'])
      .describe(
        'Values of the `typ` header that are accepted, without regard to case and to `application/`. Default access ' +
          'tokens of RFC 9068 and the `JWT` that most issuers write.',
      ),
    typRequired: z
      .boolean()
      .prefault(true)
      .describe(
        'Default true. Some issuers write no `typ` header at all: false lets their tokens in, and with them any other ' +
          'untyped JWT of theirs.',
      ),
    clockSkew: duration()
      .prefault('30s')
      .describe('Default 30s: more than synchronised clocks drift, less than a stolen token is worth.'),
    maxAge: duration().optional().describe('Refuses tokens whose `iat` is older, whatever `exp` says.'),
    maxBytes: bytes()
      .prefault('8KiB')
      .describe(
        'Size of one token. Default 8KiB, which holds some hundred group claims and is half of what all headers ' +
          'together may take.',
      ),
    maxStale: duration()
      .prefault('12h')
      .describe(
        'How long keys are believed that the issuer could not confirm. Default 12h: a short outage of the issuer must ' +
          "not stop calls; a day's must not leave revoked keys in force.",
      ),
    refreshInterval: duration()
      .prefault('10m')
      .describe(
        "Between looks at the issuer's keys. Default 10m: how long a withdrawn key may still be believed.",
      ),
    cooldown: duration()
      .prefault('30s')
      .describe('Default 30s: at most one fetch in this time, because a stranger can make up key ids.'),
    dpop: dpopOptions
      .optional()
      .describe(
        'Accepts tokens that are bound to a key of the client (RFC 9449), each request with a fresh proof. Absent: such ' +
          'tokens are refused. Needs `authorization` at the upstream, because a proof names the public URL.',
      ),
    requireBinding: z
      .array(z.enum(['certificate', 'dpop']))
      .min(1)
      .refine((kinds) => new Set(kinds).size === kinds.length, 'Name each kind once')
      .optional()
      .describe(
        'Refuses tokens of this issuer that are not bound to their holder in one of these ways: to a TLS client ' +
          'certificate (RFC 8705) or to a DPoP key. Absent: whoever has an unbound token may use it.',
      ),
  })
  .superRefine((token, context) => {
    const sources = [token.jwks, token.keys, token.discovery].filter((source) => source !== undefined);
    const problem = (message: string) => void context.addIssue({ code: 'custom', message });
    if (sources.length > 1) problem('Give only one of jwks, keys and discovery');
    if (sources.length === 0 && token.introspection === undefined) {
      problem('Give one of jwks, keys, discovery and introspection');
    }
    if (token.discovery === true && !isIssuerUrl(token.issuer)) {
      problem('discovery needs an issuer that is an https URL without query, or http on a loopback host');
    }
    if (token.introspection?.endpoint === undefined && token.introspection && token.discovery !== true) {
      problem('introspection needs an endpoint, or discovery that finds it');
    }
    if (token.requireBinding?.includes('dpop') === true && token.dpop === undefined) {
      problem('requireBinding names dpop, but no proof is checked: configure dpop');
    }
  })
  .refine(
    (token) => token.cooldown <= token.refreshInterval && token.refreshInterval <= token.maxStale,
    'cooldown, refreshInterval and maxStale must not be shorter, each than the one before',
  );

export const apiKeysOptions = z.strictObject({
  file: file.describe('YAML: `keys: [{ name, prefix, hash, expiresAt? }]`. Holds hashes only.'),
  header: z
    .string()
    .transform((name) => name.toLowerCase())
    .refine(isApiKeyHeader, 'Not a header that may carry an API key')
    .prefault('x-api-key')
    .describe(
      'Header that carries the key: `x-…`, `apikey` or `api-key`. Default `x-api-key`. Never `authorization`: there a ' +
        'key and a token could be taken for one another.',
    ),
});

/** One entry of `identity:`. Exactly one of its keys is given. */
export const authenticatorOptions = z
  .strictObject({
    certificate: certificateOptions
      .optional()
      .describe('Client certificates that a listener verified. At most one such entry.'),
    token: tokenOptions
      .optional()
      .describe('Bearer JWT of one issuer, in `Authorization`. One entry for each issuer.'),
    apiKeys: apiKeysOptions
      .optional()
      .describe('API keys, known here by their hashes. At most one such entry.'),
  })
  .refine(
    (entry) => Object.values(entry).filter((value) => value !== undefined).length === 1,
    'Give exactly one of certificate, token, apiKeys',
  );

/** The `identity:` section. */
export const authenticatorsOptions = z.array(authenticatorOptions).superRefine((entries, context) => {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    // Two entries for one issuer would have to guess whose token it is.
    const key = entry.token === undefined ? (Object.keys(entry)[0] ?? '') : `token ${entry.token.issuer}`;
    if (seen.has(key)) {
      const message = entry.token === undefined ? `Only one ${key} entry` : 'Another entry has this issuer';
      context.addIssue({ code: 'custom', path: [index], message });
    }
    seen.add(key);
  }
});

const credentialKind = z.enum(['certificate', 'token', 'apiKey']);

/** The `require:` section: alternatives, each a set of kinds that must be proven together. */
export const requireOptions = z.array(z.array(credentialKind).min(1)).min(1);

/** `insecure.anonymous`: a name for callers that present nothing. */
export const anonymousOptions = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'Letters, digits, . _ - (at most 64)');

export type CertificateOptions = z.output<typeof certificateOptions>;
export type TokenOptions = z.output<typeof tokenOptions>;
export type DpopOptions = z.output<typeof dpopOptions>;
export type ApiKeysOptions = z.output<typeof apiKeysOptions>;
export type AuthenticatorOptions = z.output<typeof authenticatorOptions>;

/** What `createIdentity` needs: three sections of the gateway file, already parsed. */
export interface IdentityOptions {
  readonly authenticators: readonly AuthenticatorOptions[];
  /** Absent: each configured kind alone suffices. */
  readonly require?: readonly (readonly z.output<typeof credentialKind>[])[] | undefined;
  /** Lets callers in that present nothing at all. From `insecure:` only. */
  readonly anonymous?: string | undefined;
  /** Routes that are OAuth resources: name of the upstream -> its `authorization`. */
  readonly resources?: ReadonlyMap<string, ResourceOptions> | undefined;
}
