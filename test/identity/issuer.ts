import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';

/** Claims or header parameters, of whatever type an attacker likes. */
type Members = Readonly<Record<string, unknown>>;

/** An issuer of test tokens: one ES256 key, and whatever header and claims a test wants. */
export interface TestIssuer {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** The published key set as text. */
  readonly jwks: string;
  sign(claims?: Members, header?: Members, key?: KeyObject): Promise<string>;
}

export const issuer = 'https://idp.example';
export const audience = 'https://mcp.example/warehouse';
/** Seconds since the epoch at which every test token is good, unless it says otherwise. */
export const now = 1_800_000_000;

export const good = { iss: issuer, aud: audience, sub: 'alice', iat: now - 10, exp: now + 300 };

export async function makeIssuer(kid = 'k1'): Promise<TestIssuer> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  return {
    publicKey,
    privateKey,
    jwks: JSON.stringify({ keys: [jwk] }),
    // Members given as undefined vanish: a test can take a claim or header away.
    sign: (claims = {}, header = {}, key = privateKey) =>
      new SignJWT(JSON.parse(JSON.stringify({ ...good, ...claims })))
        .setProtectedHeader(JSON.parse(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid, ...header })))
        .sign(key),
  };
}

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
