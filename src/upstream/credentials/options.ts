import { z } from 'zod';
import { duration } from '../../document/units.ts';
import { absoluteUrl } from '../absolute-url.ts';
import { isOwnHeader, isValidHeaderValue, isValidToken } from '../headers.ts';

const file = z.string().min(1).meta({ title: 'file' });

// RFC 6749 3.3: scope-token.
const scopeToken = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'not a scope: no spaces, quotes or backslashes');
const scopes = z.array(scopeToken).max(64);

// RFC 8707 2: an absolute URI without a fragment.
const resource = z
  .string()
  .max(2048)
  .refine((text) => URL.canParse(text) && !text.includes('#'), 'not an absolute URI without a fragment');
const oneOrMore = (item: typeof resource) => z.union([item, z.array(item).min(1).max(16)]);

/** The gateway as a client of an authorization server. */
const client = {
  issuer: absoluteUrl
    .optional()
    .describe(
      'The authorization server. Its metadata (RFC 8414, OpenID Connect) tell the token endpoint, unless `tokenEndpoint` does, and must carry this very issuer.',
    ),
  tokenEndpoint: absoluteUrl
    .optional()
    .describe('Where tokens are asked for. Without `issuer` it is also the audience of `private_key_jwt`.'),
  clientId: z
    .string()
    .min(1)
    .max(1024)
    .refine(isValidHeaderValue, 'not one line of visible ASCII')
    .describe("The gateway's own client id at the authorization server."),
  secret: file
    .optional()
    .describe(
      'File that holds the client secret, one line. Either this or `privateKey`. Read again at a reload.',
    ),
  secretMethod: z
    .enum(['basic', 'post'])
    .prefault('basic')
    .describe('How the secret is shown. Default `basic`, which every server takes (RFC 6749 2.3.1).'),
  privateKey: file
    .optional()
    .describe(
      'Private key in PEM or as a JWK: the client proves itself by a signed assertion (`private_key_jwt`, RFC 7523), and no secret travels. ' +
        'P-256, P-384, P-521, Ed25519, or RSA from 2048 bits.',
    ),
  resource: oneOrMore(resource)
    .optional()
    .describe(
      'Asked for as `resource` (RFC 8707): the URI under which the authorization server knows the upstream.',
    ),
  audience: oneOrMore(z.string().min(1).max(2048))
    .optional()
    .describe('Asked for as `audience` (RFC 8693), where the server wants a name in place of a URI.'),
  timeout: duration({ min: 1, max: 60_000 })
    .prefault('5s')
    .describe(
      'How long calls wait for a token, discovery included. Default 5s, because the call itself still has to be made.',
    ),
  skew: duration({ max: 600_000 })
    .prefault('30s')
    .describe(
      'A token is not used in the last part of its life: this long, at most half of it. Default 30s, for clocks that ' +
        'differ and calls on their way.',
    ),
};

type Client = { readonly [Key in keyof typeof client]: z.output<(typeof client)[Key]> };

function checkClient(given: Partial<Client>, context: z.RefinementCtx): void {
  if (given.issuer === undefined && given.tokenEndpoint === undefined) {
    context.addIssue({ code: 'custom', message: 'give issuer, tokenEndpoint or both' });
  }
  if ((given.secret === undefined) === (given.privateKey === undefined)) {
    context.addIssue({ code: 'custom', message: 'give either secret or privateKey' });
  }
}

const clientCredentials = z
  .strictObject({
    ...client,
    scope: scopes.default([]).describe('Scopes that are asked for. A token with others is refused.'),
  })
  .superRefine(checkClient)
  .describe('OAuth client credentials (RFC 6749 4.4): one token of the gateway for all callers.');

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const tokenType = z
  .string()
  .max(256)
  .refine((text) => URL.canParse(text), 'not a URI');

const tokenExchange = z
  .strictObject({
    ...client,
    scope: scopes
      .min(1)
      .describe(
        "Scopes that are asked for, whatever the caller's token has. At least one: an exchange that names none gives all " +
          'that the caller may do. A token with others is refused.',
      ),
    actor: z
      .boolean()
      .prefault(false)
      .describe(
        "Sends the gateway's own token of the same client as `actor_token`, so that the result names both: the caller as subject, the gateway as actor.",
      ),
    subjectTokenType: tokenType
      .prefault(accessToken)
      .describe(
        "What the caller's token is called. Default `urn:ietf:params:oauth:token-type:access_token`.",
      ),
    requestedTokenType: tokenType
      .optional()
      .describe('What is asked for. Default: the server chooses, an access token or a JWT.'),
    onMissing: z
      .enum(['deny', 'clientCredentials'])
      .prefault('deny')
      .describe(
        'What happens where there is no token to exchange: a caller that came with a certificate or an API key, and the ' +
          'gateway when it lists tools for itself. Default `deny`: refused. `clientCredentials`: a token of the ' +
          "gateway's own, from the same client, with the same scope.",
      ),
    cached: z
      .int()
      .min(1)
      .max(100_000)
      .prefault(10_000)
      .describe(
        'Tokens that are kept, one for each token of a caller. When full, what was used longest ago goes. Default 10000: ' +
          'some 20MB.',
      ),
  })
  .superRefine(checkClient)
  .describe("Token exchange (RFC 8693): the caller's token for one that is meant for the upstream alone.");

/**
 * The credential that the gateway itself shows to this upstream. The client's own credential never travels
 * (MCP 2025-06-18 and later, security best practices, token passthrough).
 */
export const credentialOptions = z
  .strictObject({
    header: z
      .string()
      .refine(isValidToken, 'not a header name')
      .prefault('authorization')
      .describe(
        'Header that carries it. Default `authorization`. Headers of the transport and `Mcp-*` are refused.',
      ),
    scheme: z
      .string()
      .refine(isValidToken, 'not an authentication scheme')
      .optional()
      .describe(
        'Written before the value with a space: `Bearer` for a file that holds a bare token. Tokens that are asked for have `Bearer` by default.',
      ),
    value: z
      .string()
      .refine(isValidHeaderValue, 'not one line of visible ASCII')
      .optional()
      .describe('The value itself, best as a reference to the environment.'),
    file: file.optional().describe('File that holds the value, one line. Read again at a reload.'),
    clientCredentials: clientCredentials.optional(),
    tokenExchange: tokenExchange.optional(),
  })
  .superRefine((given, context) => {
    const kinds = [given.value, given.file, given.clientCredentials, given.tokenExchange];
    if (kinds.filter((kind) => kind !== undefined).length !== 1) {
      context.addIssue({
        code: 'custom',
        message: 'give exactly one of value, file, clientCredentials and tokenExchange',
      });
    }
    if (isOwnHeader(given.header)) {
      context.addIssue({
        code: 'custom',
        path: ['header'],
        message: 'this header belongs to the transport or the protocol',
      });
    }
  });

export type CredentialOptions = z.output<typeof credentialOptions>;
export type ClientCredentialsOptions = z.output<typeof clientCredentials>;
export type TokenExchangeOptions = z.output<typeof tokenExchange>;
export type OAuthClientOptions = ClientCredentialsOptions | TokenExchangeOptions;

/** Headers that servers read for themselves: an identity in one of them would be taken for something else. */
const takenHeaders = new Set(['authorization', 'cookie', 'dpop', 'origin', 'user-agent']);

/** Tells the upstream who called, signed. */
export const assertionOptions = z.strictObject({
  audience: z
    .string()
    .min(1)
    .max(2048)
    .describe(
      'What the upstream expects as `aud`: a name of its own, so that no other server can use what it was shown.',
    ),
  header: z
    .string()
    .refine(isValidToken, 'not a header name')
    .refine(
      (name) => !isOwnHeader(name) && !takenHeaders.has(name.toLowerCase()),
      'this header belongs to the transport, the protocol or a credential',
    )
    .prefault('sallyport-identity')
    .describe(
      'Header that carries it. Default `sallyport-identity`. A header of that name from a client never travels.',
    ),
  claims: z
    .array(z.string().min(1).max(256))
    .max(16)
    .default([])
    .describe(
      "Names of claims of the caller's token that are passed on under `claims`, such as `groups` and `roles`. A caller without " +
        'a token has none.',
    ),
});

export type AssertionOptions = z.output<typeof assertionOptions>;

/** The keys that assertions are signed with. */
export const assertionKeysOptions = z.strictObject({
  issuer: absoluteUrl.describe('`iss` of every assertion: the public URL of this gateway.'),
  keys: z
    .array(file)
    .min(1)
    .max(8)
    .describe(
      'Private keys, P-256 or Ed25519, in PEM or as JWKs. The first signs, all are published at `/.well-known/sallyport/jwks.json`. ' +
        'Read again at a reload.',
    ),
});

export type AssertionKeysOptions = z.output<typeof assertionKeysOptions>;
