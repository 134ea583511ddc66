import { createPrivateKey, type webcrypto } from 'node:crypto';

/** The kinds of key that are made and taken up here. */
export type KeyKind = 'ec-p256' | 'ec-p384' | 'ed25519' | 'rsa-3072';

type Generation = webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams | webcrypto.AlgorithmIdentifier;
type Signing = webcrypto.EcdsaParams | webcrypto.AlgorithmIdentifier;

interface KeyRow {
  /** For making and importing keys. */
  readonly generation: Exclude<Generation, string>;
  readonly signing: Exclude<Signing, string>;
}

const rows: Readonly<Record<KeyKind, KeyRow>> = {
  'ec-p256': {
    generation: { name: 'ECDSA', namedCurve: 'P-256' },
    signing: { name: 'ECDSA', hash: 'SHA-256' },
  },
  'ec-p384': {
    generation: { name: 'ECDSA', namedCurve: 'P-384' },
    signing: { name: 'ECDSA', hash: 'SHA-384' },
  },
  ed25519: { generation: { name: 'Ed25519' }, signing: { name: 'Ed25519' } },
  'rsa-3072': {
    generation: {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 3072,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    signing: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  },
};

export const keyKinds: readonly KeyKind[] = ['ec-p256', 'ec-p384', 'ed25519', 'rsa-3072'];

/** A private key, its public half, and how it signs. */
export interface KeyHolder {
  readonly publicKey: webcrypto.CryptoKey;
  readonly privateKey: webcrypto.CryptoKey;
  readonly signing: Exclude<Signing, string>;
  /** PKCS#8. */
  readonly pem: string;
}

export async function makeKey(kind: KeyKind): Promise<KeyHolder> {
  const { generation, signing } = rows[kind];
  const keys = (await crypto.subtle.generateKey(generation, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { ...keys, signing, pem: toPem('PRIVATE KEY', pkcs8) };
}

/** Takes up a key in PKCS#8. @throws Error where the text is none, or one of a kind that is not made here */
export async function loadKey(pem: string): Promise<KeyHolder> {
  const der = fromPem(pem);
  const row = rows[kindOf(pem)];
  const privateKey = await crypto.subtle.importKey('pkcs8', der, row.generation, true, ['sign']);
  const jwk = await crypto.subtle.exportKey('jwk', privateKey);
  const { kty, crv, x, y, n, e } = jwk;
  const open = Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined),
  );
  const publicKey = await crypto.subtle.importKey('jwk', open, row.generation, true, ['verify']);
  return { publicKey, privateKey, signing: row.signing, pem };
}

function kindOf(pem: string): KeyKind {
  const key = createPrivateKey(pem);
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ec-p256';
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'secp384r1') return 'ec-p384';
  // A shorter one can be broken within the life of a CA (NIST SP 800-57).
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 3072) return 'rsa-3072';
  throw new Error('the private key is of a kind that is not used here');
}

export function toPem(label: string, der: ArrayBuffer | Uint8Array): string {
  const bytes = der instanceof Uint8Array ? Buffer.from(der) : Buffer.from(der);
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function fromPem(pem: string): Uint8Array<ArrayBuffer> {
  const match = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem);
  if (match === null) throw new Error('the private key is not PEM in PKCS#8');
  return new Uint8Array(Buffer.from(match[1]!, 'base64'));
}
