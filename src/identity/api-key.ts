import { hash, timingSafeEqual } from 'node:crypto';
import { readPlainFile } from '../document/plain-file.ts';
import { formatProblem } from '../document/problems.ts';
import { parseApiKeyFile } from './api-key-file.ts';
import { apiKeyPrefix } from './api-key-format.ts';
import { type Authenticator, type AuthenticatorAnswer, bad, notMine } from './authenticator.ts';
import type { ApiKeysOptions } from './options.ts';
import type { Credential } from './principal.ts';
import { apiKeyId } from './principal-id.ts';

export { createApiKey, hashApiKey, type NewApiKey } from './api-key-format.ts';

interface StoredKey {
  readonly name: string;
  readonly hash: Buffer;
  readonly expiresAt: number | undefined;
  readonly answer: AuthenticatorAnswer & { readonly kind: 'proven' };
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
  const readFile = dependencies.readFile ?? readPlainFile;
  let stored = load(options.file, readFile);
  /** The hash that a credential was proven with: an entry of the same prefix may be another key by now. */
  const hashes = new WeakMap<Credential, Buffer>();
  const remember = (): void => {
    for (const { answer, hash } of stored.values()) hashes.set(answer.credential, hash);
  };
  remember();

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
    recheck(credential) {
      if (credential.kind !== 'apiKey') return { kind: 'bad', reason: 'api-key-unknown' };
      const found = stored.get(credential.prefix);
      const before = hashes.get(credential);
      const same = found !== undefined && before !== undefined && found.hash.equals(before);
      // Under another name it would be another principal.
      if (!same || found.name !== credential.name) return { kind: 'bad', reason: 'api-key-unknown' };
      return { kind: 'good', expiresAt: found.expiresAt };
    },
    async reload() {
      stored = load(options.file, readFile);
      remember();
    },
  };
}

function load(path: string, readFile: (path: string) => string): ReadonlyMap<string, StoredKey> {
  const document = parseApiKeyFile({ file: path, text: readFile(path) });
  if (!document.ok) throw new Error(document.problems.map(formatProblem).join('\n'));
  const stored = new Map<string, StoredKey>();
  for (const { name, prefix, hash, expiresAt: expiry, roles = [] } of document.value.keys) {
    const expiresAt = expiry === undefined ? undefined : Date.parse(expiry);
    stored.set(prefix, {
      name,
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
