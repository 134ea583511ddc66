import type { JSONWebKeySet, JWK } from 'jose';

/** What is asked of `fetch`: the platform's own fits. */
export type FetchJwks = (
  url: string,
  init: {
    readonly redirect: 'error';
    readonly signal: AbortSignal;
    readonly headers: Readonly<Record<string, string>>;
  },
) => Promise<Response>;

/** 256 KiB holds some 150 RSA keys with their certificate chains; real sets are below 10 KiB. */
const maximumBytes = 256 * 1024;
/** 100 keys, because each is a candidate for every token without a key id. */
const maximumKeys = 100;
/** Five seconds for the whole exchange: a caller waits for the first one. */
const timeoutMs = 5_000;

/**
 * Whether keys may be fetched from here: https, or http where the bytes never leave the machine. Whoever can change
 * the answer can sign as the issuer.
 */
export function isJwksUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/**
 * Fetches an issuer's key set: status 200 only, no redirect (one would let the issuer's host point at any address the
 * gateway can reach), bounded in bytes and time.
 *
 * @throws Error on anything else; the message is for operators
 */
export async function fetchJwks(fetch: FetchJwks, url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    headers: { accept: 'application/jwk-set+json, application/json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url}: status ${response.status}`);
  }
  return parseJwks(await readBounded(response, url), url);
}

async function readBounded(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by a throw cancels the body: nothing more is read.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maximumBytes) throw new Error(`${url}: more than ${maximumBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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
