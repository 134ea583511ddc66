import { z } from 'zod';
import { claims, faultless, oneOrMore } from './conditions/options.ts';
import { description, forPeople, patterns, roleNames, scopeName } from './document-names.ts';

const credential = z.union([
  z.strictObject({
    certificate: z
      .strictObject({
        uri: patterns
          .optional()
          .describe('Patterns of URI names, SPIFFE IDs among them; `*` stays between slashes.'),
        dns: patterns.optional().describe('Patterns of DNS names; `*` stays between dots.'),
        cn: patterns.optional().describe('Patterns of common names.'),
        fingerprint: oneOrMore(
          faultless((text) =>
            /^[0-9a-f]{64}$/i.test(text.replaceAll(':', '')) ? undefined : 'expected a SHA-256 in hex',
          ),
        )
          .optional()
          .describe('SHA-256 of the certificate in hex, with or without colons.'),
      })
      .refine((value) => Object.keys(value).length > 0, 'give uri, dns, cn or fingerprint')
      .describe('A client certificate that has one of these names for every key given.'),
  }),
  z.strictObject({
    token: z
      .strictObject({
        issuer: z
          .string()
          .min(1)
          .describe('Exact: claims mean nothing without the issuer who vouches for them.'),
        subject: patterns.optional().describe('Patterns of the `sub` claim.'),
        client: patterns
          .optional()
          .describe('Patterns of the OAuth client that it was issued to (`client_id` or `azp`).'),
        claims: claims.optional().describe('Claims that must hold: a value, a list of values, or operators.'),
        scopes: oneOrMore(scopeName)
          .optional()
          .describe('The token must have all of them, or scopes that imply them.'),
        bound: oneOrMore(z.enum(['certificate', 'dpop']))
          .optional()
          .describe(
            'The holder must have proved that the token is its own, in one of these ways: with the TLS client ' +
              'certificate that it names (RFC 8705), or with a DPoP key (RFC 9449). Absent: a bearer token will do.',
          ),
      })
      .describe('A token of this issuer.'),
  }),
  z.strictObject({ apiKey: patterns.describe('Patterns of API key names.') }),
  z.strictObject({
    anonymous: z.literal(true).describe('The caller without credentials (`insecure.anonymous`).'),
  }),
  z.strictObject({ any: z.literal(true).describe('Every caller, the anonymous one too.') }),
]);

export const binding = z.strictObject({
  description: description.optional().describe(forPeople),
  roles: roleNames.describe('Roles that are given.'),
  to: oneOrMore(credential).describe('Credentials, any one of which suffices.'),
});

export type BindingDocument = z.output<typeof binding>;
export type CredentialDocument = z.output<typeof credential>;
