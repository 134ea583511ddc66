import type { ErrorCode } from '../errors.ts';
import { CredentialRefused } from '../identity/credential-refused.ts';
import type { Conduct } from '../listener/blocks.ts';
import type { Outcome } from '../pipeline/outcome.ts';

/** What no client sends that means well and works: bytes and frames that cannot be read. */
const malformed: ReadonlySet<Outcome['code']> = new Set<ErrorCode>([
  'body-empty',
  'json-invalid',
  'json-encoding',
  'json-repeated-key',
  'json-forbidden-key',
  'json-ambiguous-key',
  'json-lone-surrogate',
  'json-number',
  'json-too-deep',
  'json-too-many-nodes',
  'json-too-many-keys',
  'frame-invalid',
  'frame-id-invalid',
  'batch-invalid',
  'header-invalid',
  'header-too-large',
  'token-in-query',
  'tls-handshake',
  'request-timeout',
]);

/**
 * Reasons of a 401 that are no guess at a credential.
 *
 * One that has expired was good: its signature held, or its key was found. After a night all of an office come with such
 * tokens at once, and then fetch new ones. What this side cannot verify, because an issuer is away, says nothing at all; no
 * guess succeeds meanwhile. And a first proof without nonce is how DPoP begins (RFC 9449, section 8).
 */
const innocent: ReadonlyMap<string, Conduct | undefined> = new Map([
  ['token-expired', 'expired-credential'],
  ['token-too-old', 'expired-credential'],
  ['api-key-expired', 'expired-credential'],
  ['certificate-expired', 'expired-credential'],
  ['token-keys-unavailable', undefined],
  ['token-introspection-unavailable', undefined],
  ['dpop-replay-memory-full', undefined],
  ['dpop-nonce', undefined],
]);

/**
 * What an outcome says of the address that it came from, as far as blocking goes.
 *
 * A denial by policy says nothing: the caller is known, and answers for itself.
 */
export function conductOf(outcome: Outcome): Conduct | undefined {
  if (outcome.event === 'exchange' || outcome.event === 'stream-opened') return 'honest';
  if (outcome.event !== 'refusal') return undefined;
  if (malformed.has(outcome.code)) return 'malformed';
  // Nothing was answered: it was refused in the handshake.
  const inHandshake = outcome.status === 0;
  switch (outcome.code) {
    case 'credential-missing':
      return inHandshake ? 'failed-handshake' : 'no-credential';
    case 'credential-invalid':
      if (outcome.cause instanceof CredentialRefused && innocent.has(outcome.cause.code)) {
        return innocent.get(outcome.cause.code);
      }
      return inHandshake ? 'failed-handshake' : 'refused-credential';
    default:
      return undefined;
  }
}
