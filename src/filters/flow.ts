import { GatewayError, type PublicErrorData } from '../errors.ts';
import type { CanaryBook, Sighting } from '../flows/canaries.ts';
import { HoldBook, type HoldScope } from '../flows/hold-book.ts';
import { ticketOf } from '../flows/ticket.ts';
import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import { methodRow, resourceName, type Target, targetsOf } from '../mcp/methods.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import {
  type FlowRule,
  flowRulesFor,
  hasMarks,
  longestHold,
  marksOf,
  type ToolMark,
} from '../policy/content.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Asked, Outstanding } from './outstanding.ts';
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
      const refused = judgeCanaries(frame, exchange, deps.canaries());
      if (refused !== undefined) return refused;
      if (frame.kind !== 'request' && frame.kind !== 'notification') return pass;
      if (!hasMarks(exchange.policy)) return pass;
      const egress = targetsOfFrame(frame, exchange).some((target) => markOf(target, exchange).egress);
      if (!egress) return pass;
      return deps.shared === undefined ? judgeEgress(frame, exchange) : askAll(frame, exchange, deps.shared);
    },
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (!hasMarks(exchange.policy) || !bringsUntrusted(frame, exchange, deps.outstanding))
        return judgeReturnedCanaries(frame, exchange, deps.canaries());
      const now = deps.monotonic();
      const keep = holdOf(exchange.policy);
      const scopes = scopesOf(exchange);
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
    const scopes = rulesOn(exchange).map(({ per }) => scopeOf(per, exchange));
    const keep = holdOf(exchange.policy);
    const ages = await shared.ages(scopes, keep);
    const now = deps.monotonic();
    const elsewhere = new Map<string, number>();
    for (const [index, age] of ages.entries()) {
      // Where nobody can be asked, it may have been a moment ago.
      if (age !== undefined) elsewhere.set(keyOf(scopes[index]!), now - (age === 'unknown' ? 0 : age));
    }
    return judgeEgress(frame, exchange, (scope) => elsewhere.get(keyOf(scope)));
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
      note(exchange, 'would-refuse', rule.id, 'held');
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
      note(exchange, 'alert', rule.id, `approved ${ticket}`);
      return pass;
    });
  }
}

function refuse(exchange: Exchange, rule: ActiveRule, data: PublicErrorData, ticket?: string): Verdict {
  note(exchange, 'refused', rule.id, ticket === undefined ? 'held' : `approval ${ticket}`);
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

function keyOf({ principal, within }: HoldScope): string {
  return JSON.stringify([principal, within ?? null]);
}

function holdsOn(
  exchange: Exchange,
  lastIn: (scope: HoldScope) => number | undefined,
  now: number,
): { readonly rule: ActiveRule; readonly retryAfterMs: number }[] {
  return rulesOn(exchange).flatMap((rule) => {
    const last = lastIn(scopeOf(rule.per, exchange));
    const retryAfterMs = last === undefined ? 0 : Math.ceil(last + rule.hold - now);
    return retryAfterMs > 0 ? [{ rule, retryAfterMs }] : [];
  });
}

/** A session or a trace where there is one, else the principal: whoever names none is held back by all it does. */
function scopeOf(per: FlowRule['per'], exchange: Exchange): HoldScope {
  const principal = exchange.principal.id;
  if (per === 'session') return { principal, within: sessionKey(exchange) };
  if (per === 'trace') return { principal, within: traceKey(exchange) };
  return { principal, within: undefined };
}

function scopesOf(exchange: Exchange): readonly HoldScope[] {
  const principal = exchange.principal.id;
  const scopes = [sessionKey(exchange), traceKey(exchange)]
    .filter((within) => within !== undefined)
    .map((within) => ({ principal, within }));
  return scopes.length === 0 ? [{ principal, within: undefined }] : scopes;
}

function sessionKey(exchange: Exchange): string | undefined {
  const session = exchange.facts.session;
  return session === undefined ? undefined : `session ${session.key}`;
}

/** An exchange without a trace of its client's has its own id for one. */
function traceKey(exchange: Exchange): string | undefined {
  return exchange.traceId === exchange.id ? undefined : `trace ${exchange.traceId}`;
}

/** Whether anything of what strangers wrote may stand in a frame for the client. */
function bringsUntrusted(frame: Frame, exchange: Exchange, outstanding: Outstanding): boolean {
  if (frame.kind === 'stream-open' || frame.kind === 'session-end') return false;
  return answeredTargets(frame, exchange, outstanding).some((target) => markOf(target, exchange).untrusted);
}

/**
 * What a frame for the client answers or belongs to. Progress, log messages and questions carry content as results do,
 * and errors quote it.
 *
 * A resumed stream brings the answers of earlier exchanges. Tasks are read by ids that do not say which tool made them,
 * so where anything is marked they count as what is untrusted.
 */
function answeredTargets(
  frame: Frame,
  exchange: Exchange,
  outstanding: Outstanding,
): readonly MarkedTarget[] {
  const { request } = exchange;
  const own = request.kind === 'request' ? targetsOfFrame(request, exchange) : [];
  const id = frame.kind === 'result' || frame.kind === 'error' ? frame.id : undefined;
  const asked = id === undefined ? undefined : outstanding.find(id, exchange);
  return asked === undefined ? own : [...own, ...askedTargets(asked)];
}

function askedTargets({ row, target }: Asked): readonly MarkedTarget[] {
  if (row.task === 'names') return [anyTask];
  const kind = row.targets.find(isNamedKind);
  if (kind === undefined || target === undefined) return [];
  if (kind !== 'resource') return [{ kind, name: target }];
  const name = resourceName(target);
  return name.ok ? [{ kind, name: name.value }] : [];
}

type MarkedTarget = Pick<Target, 'kind' | 'name'>;

/** Stands for whatever tool began a task. */
const anyTask: MarkedTarget = { kind: 'method', name: 'tasks/get' };

function isNamedKind(source: string): source is 'tool' | 'prompt' | 'resource' {
  return source === 'tool' || source === 'prompt' || source === 'resource';
}

function targetsOfFrame(
  frame: RequestFrame | NotificationFrame,
  exchange: Exchange,
): readonly MarkedTarget[] {
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  if (row?.task === 'names') return [anyTask];
  const targets = row === undefined ? undefined : targetsOf(row, frame.params);
  return targets?.ok === true ? targets.value : [];
}

function markOf(target: MarkedTarget, exchange: Exchange): ToolMark {
  if (target === anyTask) return untrustedTask;
  return marksOf(exchange.policy, {
    upstream: exchange.upstream,
    kind: target.kind,
    name: target.name,
    subject: exchange.principal,
  });
}

const untrustedTask: ToolMark = { untrusted: true, egress: false };

/** Rules of the upstream that is called decide, and that may be another than the one that returned something. */
function holdOf(policy: CompiledPolicy): number {
  return Math.max(longestHold(policy), defaultRule.hold);
}

function judgeCanaries(frame: Frame, exchange: Exchange, canaries: CanaryBook): Verdict | undefined {
  const sighting =
    'value' in frame ? (canaries.findIn(frame.value) ?? inHeaders(exchange, canaries)) : undefined;
  if (sighting === undefined) return undefined;
  note(exchange, 'refused', `canaries.${sighting.canary.name}`, 'canary', sighting.path);
  return reject(new GatewayError('content-refused'));
}

/** `Mcp-Param-*` that mirror no argument are forwarded (2026-07-28, streamable HTTP), and nothing else reads them. */
function inHeaders({ headers }: Exchange, canaries: CanaryBook): Sighting | undefined {
  return headers.params.size === 0
    ? undefined
    : canaries.findIn({ headers: Object.fromEntries(headers.params) });
}

function judgeReturnedCanaries(frame: Frame, exchange: Exchange, canaries: CanaryBook): Verdict {
  const sighting = 'value' in frame ? canaries.findIn(frame.value) : undefined;
  if (sighting === undefined) return pass;
  const refused = sighting.canary.results === 'refuse';
  note(
    exchange,
    refused ? 'refused' : 'alert',
    `canaries.${sighting.canary.name}`,
    'canary-returned',
    sighting.path,
  );
  return refused ? reject(new GatewayError('content-refused')) : pass;
}

function note(
  exchange: Exchange,
  effect: 'refused' | 'would-refuse' | 'alert',
  rule: string,
  detail: string,
  path?: string,
): void {
  addFinding(exchange, { check: 'flow', effect, rule, path, detail });
}
