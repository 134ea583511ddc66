import { GatewayError } from '../errors.ts';
import type { Decision } from '../policy/access-request.ts';
import type { Disclosure } from './options.ts';

/**
 * What a client is told of a denial.
 *
 * Hidden: a target that it may not see answers with the same bytes as one that does not exist; only where it may see the
 * target does it learn which condition its arguments failed, and never a value.
 *
 * Explained: every denial says why, by which rule, and whom to ask. A decision rests on names and policy alone, never on
 * what the server has: an invented name gets the answer of an existing one for which policy says the same. So a caller
 * learns what policy says of the names that it tries, and nothing of the server.
 */
export function refusal(decision: Decision, disclosure: Disclosure | undefined): GatewayError {
  const [reason] = decision.reasons;
  const rule = reason.rule === undefined ? {} : { rule: reason.rule };
  const explained =
    disclosure?.mode === 'explained' ? { why: reason.code, contact: disclosure.contact } : undefined;
  if (decision.visible && reason.code === 'condition-failed') {
    const condition = reason.condition === undefined ? {} : { condition: reason.condition };
    return new GatewayError('arguments-refused', { data: { ...explained, ...rule, ...condition } });
  }
  return explained === undefined
    ? new GatewayError('denied')
    : new GatewayError('denied', { data: { ...explained, ...rule } });
}
