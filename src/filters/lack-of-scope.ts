import { GatewayError } from '../errors.ts';
import { insufficientScope } from '../identity/challenge.ts';
import type { ProtectedResource } from '../identity/protected-resource.ts';
import { isScope } from '../identity/resource-options.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { AccessRequest } from '../policy/access-request.ts';
import { stepUp } from '../policy/step-up.ts';

/** 4 KiB, because clients and proxies take 8 KiB of headers or more, and a token may have as many scopes as it likes. */
const longestText = 4096;

/**
 * What a caller is told whom a wider token would let in; undefined where it would not. A 403 with a challenge, which is
 * the one thing on which official clients fetch another token.
 *
 * @param requests all that the frame asks of policy
 */
export function lackOfScope(
  requests: readonly AccessRequest[],
  exchange: Exchange,
  resource: ProtectedResource,
): GatewayError | undefined {
  const wanted = stepUp(requests, exchange.policy);
  if (wanted === undefined) return undefined;
  const { scheme, held } = tokenOf(exchange);
  // Policy writes scopes as OAuth has them. What a token brings is its issuer's, and could be anything.
  const spelt = wanted.filter(isScope);
  const scopes = spelt.join(' ').length <= longestText ? spelt : spelt.filter((scope) => !held.has(scope));
  return new GatewayError('scope-insufficient', {
    headers: { 'WWW-Authenticate': insufficientScope(scheme, scopes, resource) },
    // In a batch no header tells it.
    data: { scopes },
  });
}

function tokenOf({ principal }: Exchange): {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly held: ReadonlySet<string>;
} {
  for (const credential of principal.credentials) {
    if (credential.kind !== 'token') continue;
    return { scheme: credential.bound === 'dpop' ? 'DPoP' : 'Bearer', held: new Set(credential.scopes) };
  }
  return { scheme: 'Bearer', held: new Set() };
}
