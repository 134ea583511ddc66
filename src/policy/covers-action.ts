import type { AccessRequest } from './access-request.ts';
import type { CompiledRule } from './model.ts';

/**
 * Whether a rule is about what a request asks. One without `actions` is about whatever can be done to what it names, but
 * for one: that a server may send a person to a URL must be allowed by name. Who may read all resources did not mean that.
 */
export function coversAction(
  { actions, effect }: Pick<CompiledRule, 'actions' | 'effect'>,
  { action, resource }: AccessRequest,
): boolean {
  if (actions !== undefined) return actions.has(action);
  return effect === 'deny' || action !== 'ask' || resource.kind !== 'resource';
}
