import type { AccessRequest } from './access-request.ts';
import type { CompiledPolicy } from './model.ts';

/**
 * Every scope that `scopes:` asks of a token for all of these requests together, in order, each once. For the challenge
 * to a caller that nobody knows yet.
 */
export function scopesFor(_requests: readonly AccessRequest[], _policy: CompiledPolicy): readonly string[] {
  return [];
}

/**
 * The scopes with which the same caller would be allowed all of these requests, those that its token has included;
 * undefined where it has no token, is allowed already, or would be refused all the same. So a challenge never sends
 * anybody to fetch a scope that opens nothing, and never tells of a target that stays hidden.
 */
export function stepUp(
  _requests: readonly AccessRequest[],
  _policy: CompiledPolicy,
): readonly string[] | undefined {
  return undefined;
}
