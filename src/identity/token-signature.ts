import { compactVerify, errors } from 'jose';
import type { KeySet, KeySource } from './jwks.ts';

/**
 * Checks the signature of a compact JWS with an issuer's keys. Where the header names a key that is not among them, the
 * issuer is asked for newer ones, at most once in the cool-down.
 *
 * Nothing but the signature has been verified then.
 *
 * @returns the keys that it was verified with, or the reason why it was not
 */
export async function verifySignature(
  token: string,
  keys: KeySource,
  algorithms: readonly string[],
  time: number,
): Promise<KeySet | string> {
  if (keys.current(time) === undefined) await keys.refresh(time);
  const set = keys.current(time);
  if (set === undefined) return 'token-keys-unavailable';
  const reason = await verifyWith(token, set, algorithms);
  if (reason === undefined) return set;
  if (reason !== 'token-key-unknown') return reason;
  await keys.refresh(time);
  const newer = keys.current(time);
  if (newer === undefined) return 'token-keys-unavailable';
  if (newer === set) return reason;
  return (await verifyWith(token, newer, algorithms)) ?? newer;
}

async function verifyWith(
  token: string,
  keys: KeySet,
  algorithms: readonly string[],
): Promise<string | undefined> {
  try {
    await compactVerify(token, keys.getKey, { algorithms: [...algorithms] });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'token-signature';
    if (error instanceof errors.JWKSNoMatchingKey) return 'token-key-unknown';
    if (error instanceof errors.JWKSMultipleMatchingKeys) return 'token-key-ambiguous';
    if (error instanceof errors.JOSEAlgNotAllowed) return 'token-algorithm';
    return 'token-invalid';
  }
}
