import { z } from 'zod';
import { duration } from '../document/units.ts';
import { isIssuerEndpoint } from './issuer-url.ts';

const file = z.string().min(1).meta({ title: 'file' });

/** `introspection` of a token entry: how the issuer is asked about a token (RFC 7662). */
export const introspectionOptions = z
  .strictObject({
    endpoint: z
      .string()
      .refine(isIssuerEndpoint, 'Must be an https URL without user info, or http on a loopback host')
      .optional()
      .describe('Where to ask. Absent, what the metadata of the issuer say; that needs `discovery: true`.'),
    clientId: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[\x20-\x7e]+$/, 'Visible ASCII only')
      .describe('As whom the gateway asks: its client id at the issuer.'),
    secret: file
      .optional()
      .describe(
        'File that holds the client secret, one line. Either this or `privateKey`. Read again at a reload.',
      ),
    secretMethod: z
      .enum(['basic', 'post'])
      .prefault('basic')
      .describe(
        'How the secret is shown. Default `basic`, which every server takes (RFC 6749, section 2.3.1).',
      ),
    privateKey: file
      .optional()
      .describe(
        'Private key in PEM, for `private_key_jwt` (RFC 7523): P-256, P-384, P-521, Ed25519, or RSA from 2048 bits. No ' +
          'secret travels. Read again at a reload.',
      ),
    keyId: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('`kid` under which the issuer knows `privateKey`. Absent: none is sent.'),
    always: z
      .boolean()
      .prefault(false)
      .describe(
        'Asks about JWTs too, after their signature was verified. Default false: a JWT then holds until it expires, ' +
          'also where its issuer has revoked it.',
      ),
    cache: duration({ max: 300_000 })
      .prefault('30s')
      .describe(
        'How long an answer that a token is in force is believed, never beyond its `exp`. Default 30s: how long a ' +
          'revoked token may still be used.',
      ),
    negativeCache: duration({ max: 60_000 })
      .prefault('5s')
      .describe(
        'How long an answer that a token is not in force is believed. Default 5s: enough to stop a client that repeats ' +
          'itself, short where a token is asked about before the issuer knows it everywhere.',
      ),
    concurrency: z
      .int()
      .min(1)
      .max(256)
      .prefault(8)
      .describe(
        'Questions at one time; four times as many wait, and beyond that tokens are refused unasked. Default 8, because ' +
          'a stranger can make up tokens, and the issuer should not feel it.',
      ),
  })
  .refine(
    (given) => (given.secret === undefined) !== (given.privateKey === undefined),
    'Give either secret or privateKey',
  )
  .refine(
    (given) => given.keyId === undefined || given.privateKey !== undefined,
    'keyId is the name of a privateKey',
  );

export type IntrospectionOptions = z.output<typeof introspectionOptions>;
