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
      // The first request of every holder who was not given a nonce before (RFC 9449, section 8).
      if (outcome.cause instanceof CredentialRefused && outcome.cause.code === 'dpop-nonce') return undefined;
      return inHandshake ? 'failed-handshake' : 'refused-credential';
    default:
      return undefined;
  }
}
