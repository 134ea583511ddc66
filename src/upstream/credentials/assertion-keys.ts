import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { AssertionKeysOptions } from './options.ts';
import { readPrivateKey } from './private-key.ts';

/** The key that signs now. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: string;
  /** RFC 7638 thumbprint. */
  readonly id: string;
}

/** The keys that assertions are signed with. */
export interface AssertionKeys {
  readonly issuer: string;
  signing(): SigningKey;
  /** JWK Set (RFC 7517) of the public halves: of all keys, and of those that a reload took away a short while ago. */
  published(): { readonly keys: readonly JWK[] };
  /** Reads the files again. @throws Error naming the file that is not usable; everything then stays as it was */
  reload(): Promise<void>;
}

/** The path on every listener at which the public keys stand. */
export const assertionKeysPath = '/.well-known/sallyport/jwks.json';

/** Seconds for which a server may keep the key set. 5 minutes: a key that was taken away is gone by then. */
export const keySetMaxAge = 300;

/** A key that was taken away stays published until the last assertion has expired and all copies of the set are old. */
const retiredForMs = (keySetMaxAge + 120) * 1000;

/** 16, two reloads of as many keys as there may be: replacing files over and over fills nothing. */
const mostRetired = 16;

interface LoadedKey extends SigningKey {
  readonly jwk: JWK;
}

/**
 * @param now milliseconds since the epoch
 * @throws Error naming the file that is not usable
 */
export async function loadAssertionKeys(
  options: AssertionKeysOptions,
  now: () => number,
): Promise<AssertionKeys> {
  let keys = await readKeys(options.keys);
  let retired: readonly { readonly jwk: JWK; readonly until: number }[] = [];

  return {
    issuer: options.issuer,
    signing: () => keys[0]!,
    published() {
      const time = now();
      const current = keys.map(({ jwk }) => jwk);
      return { keys: [...current, ...retired.filter(({ until }) => until > time).map(({ jwk }) => jwk)] };
    },
    async reload() {
      const next = await readKeys(options.keys);
      const kept = new Set(next.map(({ id }) => id));
      const until = now() + retiredForMs;
      const gone = keys.filter(({ id }) => !kept.has(id)).map(({ jwk }) => ({ jwk, until }));
      const before = retired.filter(({ jwk, until: end }) => end > now() && !kept.has(jwk.kid!));
      retired = [...gone, ...before].slice(0, mostRetired);
      keys = next;
    },
  };
}

async function readKeys(files: readonly string[]): Promise<readonly LoadedKey[]> {
  const keys = await Promise.all(files.map(readKey));
  for (const [index, { id }] of keys.entries()) {
    const first = keys.findIndex((key) => key.id === id);
    if (first !== index) throw new Error(`${files[index]}: the same key as in ${files[first]}`);
  }
  return keys;
}

async function readKey(file: string): Promise<LoadedKey> {
  const { key, algorithm } = readPrivateKey(file);
  if (algorithm !== 'ES256' && algorithm !== 'EdDSA') {
    throw new Error(`${file}: assertions are signed with P-256 or Ed25519`);
  }
  const jwk = publicJwk(key);
  const id = await calculateJwkThumbprint(jwk, 'sha256');
  return { key, algorithm, id, jwk: { ...jwk, kid: id, use: 'sig', alg: algorithm } };
}

/** Named one by one, so that a private member has no way into what is published. */
function publicJwk(key: KeyObject): JWK {
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  return { kty: kty!, crv: crv!, x: x!, ...(y === undefined ? {} : { y }) };
}
