import { createHash, randomBytes, randomInt } from 'node:crypto';

/** A new key: the text to hand out once, and what the key file keeps of it. */
export interface NewApiKey {
  /** `spk_<prefix>_<secret>`. Never stored. */
  readonly key: string;
  /** The file's entry. Holds nothing from which the key could be found again. */
  readonly entry: { readonly name: string; readonly prefix: string; readonly hash: string };
}

const format = /^spk_([a-z0-9]{8})_[A-Za-z0-9_-]{43}$/;
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Names of keys stand in principal ids, logs and policies: nothing that needs escaping in any of them. */
export const apiKeyName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Makes an API key with 256 random bits of secret. The prefix is public: it finds the entry, and tells people which
 * key a leaked one was. The leading `spk_` lets secret scanners find it.
 *
 * @throws TypeError when the name cannot stand in a principal id
 */
export function createApiKey(name: string): NewApiKey {
  if (!apiKeyName.test(name)) throw new TypeError(`Not a name for an API key: ${JSON.stringify(name)}`);
  const prefix = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('');
  const key = `spk_${prefix}_${randomBytes(32).toString('base64url')}`;
  return { key, entry: { name, prefix, hash: hashApiKey(key) } };
}

/**
 * The hash that the key file keeps: `sha256:` and hex, over the whole key. One round suffices, because the secret is
 * random and cannot be guessed from a list as a password can.
 */
export function hashApiKey(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** The prefix of a well-formed key; undefined for anything else. */
export function apiKeyPrefix(key: string): string | undefined {
  return format.exec(key)?.[1];
}

/** Whether a header, in lower case, may be configured to carry API keys. Headers with a meaning of their own may not. */
export function isApiKeyHeader(name: string): boolean {
  return /^(x-[a-z0-9-]{1,60}|api-?key)$/.test(name) && !/^x-forwarded-|^x-real-ip$/.test(name);
}
