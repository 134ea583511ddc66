import type { JSONWebKeySet, JWK } from 'jose';
import type { Dial } from '../dialer/contract.ts';

/** 100 keys, because each is a candidate for every token without a key id. */
const maximumKeys = 100;

/**
 * Fetches an issuer's key set: status 200 only. Time, bytes, addresses and redirects are the dialer's to bound.
 *
 * @throws Error on anything else; the message is for operators
 */
export async function fetchJwks(dial: Dial, url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  const { origin, pathname } = new URL(url);
  const source = origin + pathname;
  const read = async (response: Response): Promise<JSONWebKeySet> => {
    if (response.status !== 200) throw new Error(`${source}: status ${response.status}`);
    return parseJwks(await response.text(), source);
  };
  const response = await dial(url, {
    signal,
    headers: { accept: 'application/jwk-set+json, application/json' },
    purpose: 'jwks',
    answers: async (answer) => (await read(answer)) !== undefined,
  });
  return read(response);
}

/**
 * Reads a JSON Web Key Set and keeps the keys that can check signatures: public RSA, EC and OKP keys not marked for
 * another use. Symmetric and private keys are left out: a set that publishes one has given its secret away.
 *
 * An empty set is a set: an issuer may withdraw all of its keys.
 *
 * @param source what to call it in messages
 * @throws Error where the text is not a key set
 */
export function parseJwks(text: string, source: string): JSONWebKeySet {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${source}: not JSON`);
  }
  const keys = isObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys)) throw new Error(`${source}: not a JSON Web Key Set`);
  if (keys.length > maximumKeys) throw new Error(`${source}: more than ${maximumKeys} keys`);
  return { keys: keys.filter(isVerificationKey) };
}

function isVerificationKey(value: unknown): value is JWK {
  if (!isObject(value)) return false;
  if (value['kty'] !== 'RSA' && value['kty'] !== 'EC' && value['kty'] !== 'OKP') return false;
  if ('d' in value || 'k' in value) return false;
  return value['use'] === undefined || value['use'] === 'sig';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
