import type { CredentialKind, Evidence } from './authenticator.ts';

/**
 * The value of `WWW-Authenticate`, which every 401 must carry (RFC 9110, section 15.5.2).
 *
 * `Bearer` comes first, because MCP clients read only the first challenge. It says `invalid_token` only if a bearer
 * token was presented (RFC 6750, section 3.1): a client that had none must not throw its tokens away.
 *
 * No scheme is registered for API keys or for client certificates. A key in an own header is challenged as `ApiKey`
 * with the header's name. A listener that knows certificates alone answers `ClientCertificate`, and not `Bearer`:
 * a client that is told `Bearer` starts an OAuth flow which can never succeed.
 */
export function challengeFor(
  kinds: ReadonlySet<CredentialKind>,
  evidence: Pick<Evidence, 'authorization'>,
  apiKeyHeader = 'x-api-key',
): string {
  const challenges: string[] = [];
  if (kinds.has('token')) {
    const presented = /^bearer(\s|$)/i.test(evidence.authorization ?? '');
    challenges.push(`Bearer realm="sallyport"${presented ? ', error="invalid_token"' : ''}`);
  }
  if (kinds.has('apiKey')) challenges.push(`ApiKey realm="sallyport", header="${apiKeyHeader}"`);
  if (challenges.length === 0) challenges.push('ClientCertificate realm="sallyport"');
  return challenges.join(', ');
}
