import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { priorityOf } from '../policy/priority.ts';

/** What this check asks when there is more to do than can be done. */
export interface Overload {
  /** Whether this one is to be refused now. Where its kind is shed in part, two questions need not get one answer. */
  sheds(kind: 'session' | 'list'): boolean;
  /** Whole seconds. */
  retryAfter(): number;
  /** Told of each refusal. */
  onShed(kind: 'session' | 'list', upstream: string): void;
}

/**
 * In an overload, refuses what is needed least: first new sessions and subscriptions, then lists. Calls, and GET, were
 * judged before a frame was decoded, by the priority of their caller (pipeline/gate.ts). Callers of high priority pass.
 *
 * What frees something always passes: cancellations, answers to questions, ends of sessions.
 */
export function shed(overload: Overload): Filter {
  return {
    name: 'shed',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      const kind = kindOf(frame, exchange);
      if (kind === undefined || !overload.sheds(kind)) return pass;
      if (priorityOf(exchange.principal, exchange.policy) === 'high') return pass;
      overload.onShed(kind, exchange.upstream);
      return reject(
        new GatewayError('overloaded', {
          cause: `shed: ${kind}`,
          headers: { 'retry-after': String(overload.retryAfter()) },
        }),
      );
    },
  };
}

function kindOf(frame: Frame, exchange: Exchange): 'session' | 'list' | undefined {
  if (frame.kind === 'stream-open') return 'session';
  if (frame.kind !== 'request') return undefined;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
  if (row === undefined) return undefined;
  if (row.longLived || (row.instructs === true && exchange.era === 'legacy')) return 'session';
  return row.instructs === true || row.pages === true ? 'list' : undefined;
}
