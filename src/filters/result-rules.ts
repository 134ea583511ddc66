import { resourceName } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { resultRulesFor } from '../policy/content.ts';
import { decide } from '../policy/decide.ts';
import type { ResultRule } from '../results/rule.ts';
import type { ResultTarget } from './result-target.ts';

/** Whether policy has any rule for what comes back. */
export function hasRules(exchange: Exchange): boolean {
  return exchange.policy.parts.results.count > 0;
}

/** The rules of the policy in force for this exchange that are about a target. */
export function rulesFor({ kind, name }: ResultTarget, exchange: Exchange): readonly ResultRule[] {
  const { upstream, principal: subject, time } = exchange;
  return resultRulesFor(exchange.policy, { upstream, kind, name, subject, time });
}

/** A link is judged as the read that it invites to. */
export function mayRead(uri: string, exchange: Exchange): boolean {
  const name = resourceName(uri);
  if (!name.ok) return false;
  const decision = decide(
    {
      subject: exchange.principal,
      action: 'read',
      resource: { upstream: exchange.upstream, kind: 'resource', name: name.value },
      context: { arguments: undefined, address: exchange.peer.address, time: exchange.time },
    },
    exchange.policy,
  );
  return decision.effect === 'allow';
}
