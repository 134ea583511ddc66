import { createPrivateKey, type JsonWebKey, type KeyObject, type webcrypto } from 'node:crypto';
import { readSmallFile } from '../files.ts';

/** A private key of the gateway, and what it signs with. */
export interface PrivateKey {
  readonly key: KeyObject;
  /** JWS algorithm (RFC 7518, RFC 8037). */
  readonly algorithm: string;
  /** `kid` that the file gives: only JWKs have one. */
  readonly id: string | undefined;
}

/** 64KiB, because an RSA key of 16384 bits in PEM has 13. */
const maxKeyBytes = 64 * 1024;

/** Smaller RSA keys can be factored with effort that an enterprise has to reckon with (NIST SP 800-57). */
const fewestRsaBits = 2048;

/**
 * Reads a private key in PEM or as a JWK.
 *
 * @throws Error naming the file, never its content, where it is not the private key of a supported kind
 */
export function readPrivateKey(file: string): PrivateKey {
  const text = readSmallFile(file, maxKeyBytes).toString('utf8').trim();
  const jwk = text.startsWith('{') ? parseJwk(text, file) : undefined;
  let key: KeyObject;
  try {
    key = jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    // The error of the parser is not passed on: it may quote what it stumbled over.
    throw new Error(`${file}: no private key in PEM without a passphrase, and no private JWK`);
  }
  const algorithm = algorithmOf(key, jwk?.['alg']);
  if (algorithm === undefined) {
    throw new Error(
      `${file}: the key must be P-256, P-384, P-521, Ed25519, or RSA from ${fewestRsaBits} bits`,
    );
  }
  const id = typeof jwk?.kid === 'string' ? jwk.kid : undefined;
  return { key, algorithm, id };
}

function parseJwk(text: string, file: string): JsonWebKey & { readonly kid?: unknown } {
  try {
    return JSON.parse(text) as JsonWebKey;
  } catch {
    throw new Error(`${file}: not a JWK`);
  }
}

const curves: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

function algorithmOf(key: KeyObject, told: unknown): string | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return curves.get(namedCurve);
    case 'ed25519':
      return 'EdDSA';
    case 'rsa':
      if (modulusLength < fewestRsaBits) return undefined;
      // RS256 is what every server knows; a JWK may ask for the newer one.
      return told === 'PS256' ? 'PS256' : 'RS256';
    default:
      return undefined;
  }
}

type Algorithm = webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams | webcrypto.Algorithm;

const webAlgorithms: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['ES256', { name: 'ECDSA', namedCurve: 'P-256' }],
  ['ES384', { name: 'ECDSA', namedCurve: 'P-384' }],
  ['ES512', { name: 'ECDSA', namedCurve: 'P-521' }],
  ['EdDSA', { name: 'Ed25519' }],
  ['RS256', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }],
  ['PS256', { name: 'RSA-PSS', hash: 'SHA-256' }],
]);

/** The key for Web Crypto, not extractable. */
export function toCryptoKey({ key, algorithm }: PrivateKey): webcrypto.CryptoKey {
  return key.toCryptoKey(webAlgorithms.get(algorithm)!, false, ['sign']);
}
