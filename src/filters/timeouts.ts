import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, type Verdict } from '../pipeline/filter.ts';
import { timeoutFor } from '../policy/content.ts';

/**
 * Notes how long policy lets a call take. After `authorize`, which says what the call is about. The transport holds it;
 * streams that are meant to stay open have times of their own.
 */
export function timeouts(): Filter {
  return {
    name: 'timeouts',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      const { facts, policy, principal: subject, upstream } = exchange;
      const { target } = facts;
      if (frame.kind !== 'request' || target === undefined) return pass;
      const rule = timeoutFor(policy, { upstream, kind: target.kind, name: target.name, subject });
      if (rule !== undefined) facts.timeout = { ms: rule.total, rule: rule.id };
      return pass;
    },
  };
}
