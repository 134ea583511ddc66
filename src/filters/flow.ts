import { GatewayError, type PublicErrorData } from '../errors.ts';
import type { CanaryBook } from '../flows/canaries.ts';
import { HoldBook, type HoldScope } from '../flows/hold-book.ts';
import { ticketOf } from '../flows/ticket.ts';
import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { type FlowRule, flowRulesFor, hasMarks, longestHold } from '../policy/content.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { judgeReturnedCanaries, refuseCanaries } from './canary-sightings.ts';
import { noteFlow } from './flow-findings.ts';
import { holdKey, holdScope, holdScopes } from './hold-scopes.ts';
import { bringsUntrusted, reachesOut } from './marked-targets.ts';
import type { Outstanding } from './outstanding.ts';
import type { SharedHolds } from './shared-holds.ts';

export interface FlowDeps {
  readonly outstanding: Outstanding;
  /** Principals that are told apart while they are held back. */
  readonly principals: number;
  /** Monotonic milliseconds. */
  monotonic(): number;
  /** Makes approval tickets. The same on every replica that shares the folder of approvals. */
  readonly key: Buffer;
  /** The values in force now. */
  canaries(): CanaryBook;
  /** What other processes of this gateway returned. Absent: there is one process. */
  readonly shared?: SharedHolds | undefined;
  /** Takes the approval of a ticket, once. Undefined where approvals are not configured: such calls are denied. */
  readonly approvals: { take(ticket: string): Promise<boolean> } | undefined;
}

/**
 * Keeps what strangers wrote from steering what can leave the house: after a target marked `untrusted` returned
 * something to a caller, targets marked `egress` are held back from it for a time. And keeps canaries in.
 *
 * The return is remembered before it is relayed, so no call that could know of it passes before.
 */
export function flow(deps: FlowDeps): Filter {
  const book = new HoldBook(deps.principals);
  return {
    name: 'flow',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      const refused = refuseCanaries(frame, exchange, deps.canaries());
      if (refused !== undefined) return refused;
      if (frame.kind !== 'request' && frame.kind !== 'notification') return pass;
      if (!hasMarks(exchange.policy)) return pass;
      if (!reachesOut(frame, exchange)) return pass;
      return deps.shared === undefined ? judgeEgress(frame, exchange) : askAll(frame, exchange, deps.shared);
    },
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (!hasMarks(exchange.policy) || !bringsUntrusted(frame, exchange, deps.outstanding))
        return judgeReturnedCanaries(frame, exchange, deps.canaries());
      const now = deps.monotonic();
      const keep = holdOf(exchange.policy);
      const scopes = holdScopes(exchange);
      for (const scope of scopes) book.record(scope, now, keep);
      const telling = deps.shared?.record(scopes, keep);
      if (telling === undefined) return judgeReturnedCanaries(frame, exchange, deps.canaries());
      return telling.then((told) =>
        told
          ? judgeReturnedCanaries(frame, exchange, deps.canaries())
          : reject(new GatewayError('overloaded', { cause: 'a hold cannot be told to other processes' })),
      );
    },
  };

  /** Brings what other processes know of this caller into the book, then judges by it. */
  async function askAll(
    frame: RequestFrame | NotificationFrame,
    exchange: Exchange,
    shared: SharedHolds,
  ): Promise<Verdict> {
    const scopes = rulesOn(exchange).map(({ per }) => holdScope(per, exchange));
    const keep = holdOf(exchange.policy);
    const ages = await shared.ages(scopes, keep);
    const now = deps.monotonic();
    const elsewhere = new Map<string, number>();
    for (const [index, age] of ages.entries()) {
      // Where nobody can be asked, it may have been a moment ago.
      if (age !== undefined) elsewhere.set(holdKey(scopes[index]!), now - (age === 'unknown' ? 0 : age));
    }
    return judgeEgress(frame, exchange, (scope) => elsewhere.get(holdKey(scope)));
  }

  function judgeEgress(
    frame: RequestFrame | NotificationFrame,
    exchange: Exchange,
    elsewhere: (scope: HoldScope) => number | undefined = () => undefined,
  ): Verdict | Promise<Verdict> {
    const lastIn = (scope: HoldScope): number | undefined => later(book.lastIn(scope), elsewhere(scope));
    const holding = holdsOn(exchange, lastIn, deps.monotonic());
    if (holding.length === 0) return pass;
    for (const { rule } of holding.filter(({ rule }) => rule.mode === 'shadow')) {
      noteFlow(exchange, 'would-refuse', rule.id, 'held');
    }
    const enforced = holding.filter(({ rule }) => rule.mode === 'enforce');
    // A denial beats what an approval could lift; among equals, the one that holds longest.
    const first = enforced.sort((a, b) => rank(a.rule) - rank(b.rule) || b.retryAfterMs - a.retryAfterMs)[0];
    if (first === undefined) return pass;
    const { rule, retryAfterMs } = first;
    const data = { rule: rule.id, retryAfterMs };
    if (rule.effect === 'deny' || deps.approvals === undefined) return refuse(exchange, rule, data);
    const ticket = ticketOf(
      {
        principal: exchange.principal.id,
        upstream: exchange.upstream,
        method: frame.method,
        params: frame.params,
        headers: exchange.facts.mirroredHeaders,
      },
      deps.key,
    );
    return deps.approvals.take(ticket).then((approved) => {
      if (!approved) return refuse(exchange, rule, { ...data, approval: ticket }, ticket);
      noteFlow(exchange, 'alert', rule.id, `approved ${ticket}`);
      return pass;
    });
  }
}

function refuse(exchange: Exchange, rule: ActiveRule, data: PublicErrorData, ticket?: string): Verdict {
  noteFlow(exchange, 'refused', rule.id, ticket === undefined ? 'held' : `approval ${ticket}`);
  return reject(new GatewayError('flow-refused', { data }));
}

type ActiveRule = Pick<FlowRule, 'id' | 'per' | 'hold' | 'effect' | 'mode'>;

/** Where targets are marked and no rule of `flows:` applies to the caller. */
const defaultRule: ActiveRule = {
  id: 'flows.default',
  per: 'principal',
  hold: 600_000,
  effect: 'deny',
  mode: 'enforce',
};

function rank(rule: ActiveRule): number {
  return rule.effect === 'deny' ? 0 : 1;
}

function rulesOn(exchange: Exchange): readonly ActiveRule[] {
  const about = { upstream: exchange.upstream, subject: exchange.principal, time: exchange.time };
  const written = flowRulesFor(exchange.policy, about);
  return written.length === 0 ? [defaultRule] : written;
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function holdsOn(
  exchange: Exchange,
  lastIn: (scope: HoldScope) => number | undefined,
  now: number,
): { readonly rule: ActiveRule; readonly retryAfterMs: number }[] {
  return rulesOn(exchange).flatMap((rule) => {
    const last = lastIn(holdScope(rule.per, exchange));
    const retryAfterMs = last === undefined ? 0 : Math.ceil(last + rule.hold - now);
    return retryAfterMs > 0 ? [{ rule, retryAfterMs }] : [];
  });
}

/** Rules of the upstream that is called decide, and that may be another than the one that returned something. */
function holdOf(policy: CompiledPolicy): number {
  return Math.max(longestHold(policy), defaultRule.hold);
}
