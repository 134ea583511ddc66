import { z } from 'zod';
import { type DocumentSource, type ParsedDocument, parseDocument } from '../document/parse-document.ts';
import { apiKeyName } from './api-key-format.ts';

/** 10 000 keys, because each stands in memory; more callers than that want an issuer. */
const maximumKeys = 10_000;

/** Names as policy files give them: any other would be the role of nobody. */
export const apiKeyRole = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'Not a role name: letters, digits, _ . - (at most 64)');
const mostRoles = 64;

const time = z.iso.datetime({ offset: true });

const keyFile = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        name: z.string().regex(apiKeyName, 'Letters, digits, . _ - (at most 128)'),
        prefix: z.string().regex(/^[a-z0-9]{8}$/, 'The eight characters after spk_'),
        hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hex digits in lower case'),
        createdAt: time.optional(),
        expiresAt: time.optional(),
        roles: z.array(apiKeyRole).max(mostRoles).optional(),
      }),
    )
    .max(maximumKeys)
    .superRefine((keys, context) => {
      const seen = new Set<string>();
      for (const [index, { prefix }] of keys.entries()) {
        if (seen.has(prefix)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'prefix'],
            message: 'Another key has this prefix',
          });
        }
        seen.add(prefix);
      }
    }),
});

/** What the key file holds. No entry holds anything from which its key could be found again. */
export type ApiKeyFile = z.output<typeof keyFile>;
export type ApiKeyEntry = ApiKeyFile['keys'][number];

/** Reads a key file, or says all that is wrong with it. */
export function parseApiKeyFile(source: DocumentSource): ParsedDocument<ApiKeyFile> {
  return parseDocument(source, keyFile);
}
