import { createPrivateKey, type KeyObject, type webcrypto } from 'node:crypto';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, PrivateKeyJwt } from 'oauth4webapi';
import { readPlainFile } from '../document/plain-file.ts';

/** How the gateway shows an issuer who is asking. */
export interface ClientAuthenticationOptions {
  readonly secret?: string | undefined;
  readonly secretMethod: 'basic' | 'post';
  readonly privateKey?: string | undefined;
  readonly keyId?: string | undefined;
}

/**
 * Reads the gateway's own credential at an issuer: a secret for `client_secret_basic` or `client_secret_post`, or a key for `private_key_jwt`.
 *
 * @throws Error naming the file, never its content, where it cannot be used
 */
export function readClientAuthentication(
  options: ClientAuthenticationOptions,
  readFile: (path: string) => string = readPlainFile,
): ClientAuth {
  if (options.privateKey !== undefined) {
    const key = toCryptoKey(readKey(options.privateKey, readFile), options.privateKey);
    return PrivateKeyJwt(options.keyId === undefined ? key : { key, kid: options.keyId });
  }
  if (options.secret === undefined) throw new TypeError('a client needs a secret or a privateKey');
  const secret = readFile(options.secret).replace(/\r?\n$/, '');
  if (!/^[\x20-\x7e]+$/.test(secret)) throw new Error(`${options.secret}: not one line of visible ASCII`);
  return options.secretMethod === 'post' ? ClientSecretPost(secret) : ClientSecretBasic(secret);
}

function readKey(path: string, readFile: (path: string) => string): KeyObject {
  const text = readFile(path);
  try {
    return createPrivateKey(text);
  } catch {
    // The parser's error may quote what it stumbled over.
    throw new Error(`${path}: no private key in PEM without a passphrase`);
  }
}

type Algorithm = webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams | webcrypto.Algorithm;

const curves: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

function toCryptoKey(key: KeyObject, path: string): webcrypto.CryptoKey {
  const algorithm = algorithmOf(key);
  if (algorithm === undefined) {
    throw new Error(`${path}: the key must be P-256, P-384, P-521, Ed25519, or RSA from 2048 bits`);
  }
  return key.toCryptoKey(algorithm, false, ['sign']);
}

function algorithmOf(key: KeyObject): Algorithm | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' };
  // Smaller keys can be factored with an effort that has to be reckoned with (NIST SP 800-57).
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048) {
    // RS256, which every server knows.
    return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  }
  const curve = key.asymmetricKeyType === 'ec' ? curves.get(namedCurve) : undefined;
  return curve === undefined ? undefined : { name: 'ECDSA', namedCurve: curve };
}
