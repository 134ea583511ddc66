import { hash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseDocument } from '../document/parse-document.ts';
import { formatProblem } from '../document/problems.ts';
import { apiKeyName, apiKeyPrefix } from './api-key-format.ts';
import { type Authenticator, type AuthenticatorAnswer, bad, notMine } from './authenticator.ts';
import type { ApiKeysOptions } from './options.ts';
import { apiKeyId } from './principal-id.ts';

export { createApiKey, hashApiKey, type NewApiKey } from './api-key-format.ts';

/** 10 000 keys, because each stands in memory; more callers than that want an issuer. */
const maximumKeys = 10_000;

const keyFile = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        name: z.string().regex(apiKeyName, 'Letters, digits, . _ - (at most 128)'),
        prefix: z.string().regex(/^[a-z0-9]{8}$/, 'The eight characters after spk_'),
        hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hex digits in lower case'),
        expiresAt: z.iso.datetime({ offset: true }).optional(),
        createdAt: z.iso.datetime({ offset: true }).optional(),
        roles: z.array(z.string().min(1).max(64)).max(64).optional(),
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

interface StoredKey {
  readonly hash: Buffer;
  readonly expiresAt: number | undefined;
  readonly answer: AuthenticatorAnswer;
}

/** What an unknown prefix is compared with. No text is known that hashes to it. */
const nobody: Buffer = Buffer.alloc(32);

/**
 * Checks API keys against the hashes in a file. Two keys may share a name while one replaces the other.
 *
 * The hash is computed and compared in constant time whether or not the prefix is known, so that time does not tell
 * which prefixes exist. What is in the header is a key or it is bad: nothing is skipped.
 *
 * @throws Error with file, line and column when the file is wrong
 */
export function createApiKeyAuthenticator(
  options: ApiKeysOptions,
  dependencies: { readonly readFile?: (path: string) => string } = {},
): Authenticator {
  const readFile = dependencies.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  let stored = load(options.file, readFile);

  return {
    kind: 'apiKey',
    authenticate({ apiKey, time }) {
      if (apiKey === undefined) return notMine;
      const prefix = apiKeyPrefix(apiKey);
      if (prefix === undefined) return bad('api-key-malformed');
      const found = stored.get(prefix);
      const same = timingSafeEqual(hash('sha256', apiKey, 'buffer'), found?.hash ?? nobody);
      if (found === undefined || !same) return bad('api-key-unknown');
      if (found.expiresAt !== undefined && time >= found.expiresAt) return bad('api-key-expired');
      return found.answer;
    },
    async reload() {
      stored = load(options.file, readFile);
    },
  };
}

function load(path: string, readFile: (path: string) => string): ReadonlyMap<string, StoredKey> {
  const document = parseDocument({ file: path, text: readFile(path) }, keyFile);
  if (!document.ok) throw new Error(document.problems.map(formatProblem).join('\n'));
  const stored = new Map<string, StoredKey>();
  for (const { name, prefix, hash, expiresAt: expiry, roles = [] } of document.value.keys) {
    const expiresAt = expiry === undefined ? undefined : Date.parse(expiry);
    stored.set(prefix, {
      hash: Buffer.from(hash.slice('sha256:'.length), 'hex'),
      expiresAt,
      answer: Object.freeze({
        kind: 'proven',
        principalId: apiKeyId(name),
        credential: Object.freeze({ kind: 'apiKey', name, prefix, roles: Object.freeze(roles), expiresAt }),
      }),
    });
  }
  return stored;
}
