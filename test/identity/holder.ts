import { createHash, generateKeyPair, type KeyObject, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose';
import { now } from './issuer.ts';

type Members = Readonly<Record<string, unknown>>;

/** A client with a key of its own, and whatever proofs a test wants of it. */
export interface Holder {
  readonly jwk: JWK;
  readonly privateKey: KeyObject;
  /** What `cnf.jkt` says of it. */
  readonly thumbprint: string;
  /** A proof for a token. Members given as undefined vanish. */
  prove(token: string, claims?: Members, header?: Members, key?: KeyObject): Promise<string>;
}

/** Where proofs are good, unless they say otherwise. */
export const target = 'https://mcp.example/warehouse';

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

const keyPairs = {
  ES256: () => promisify(generateKeyPair)('ec', { namedCurve: 'P-256' }),
  EdDSA: () => promisify(generateKeyPair)('ed25519'),
  RS256: () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 }),
} as const;

export async function makeHolder(alg: keyof typeof keyPairs = 'ES256'): Promise<Holder> {
  const { publicKey, privateKey } = await keyPairs[alg]();
  const jwk = publicKey.export({ format: 'jwk' }) as JWK;
  return {
    jwk,
    privateKey,
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: (token, claims = {}, header = {}, key = privateKey) => {
      const good = { jti: randomUUID(), htm: 'POST', htu: target, iat: now, ath: hashOf(token) };
      return new SignJWT(JSON.parse(JSON.stringify({ ...good, ...claims })))
        .setProtectedHeader(JSON.parse(JSON.stringify({ alg, typ: 'dpop+jwt', jwk, ...header })))
        .sign(key);
    },
  };
}
