import { type ErrorCode, GatewayError } from '../errors.ts';
import type { Frame, RequestFrame } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { isLongLived } from '../pipeline/long-lived.ts';
import { isJsonObject, own } from '../values/json.ts';
import type { FilterEvent } from './deps.ts';
import type { SessionLimits } from './options.ts';
import { scopeOf } from './scope.ts';
import { type BoundReached, SessionBook } from './session-book.ts';
import { sessionKey } from './session-sealer.ts';
import { StreamCounts } from './stream-counts.ts';
import { SubscriptionBook } from './subscription-book.ts';

export interface SessionLimitsDeps {
  readonly limits: SessionLimits;
  report(event: FilterEvent): void;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

/** What an exchange holds until it ends. */
interface Held {
  opensSession: boolean;
  streams: boolean;
  listensTo: number;
  /** The URI that a request of this exchange subscribes to, or gives up, once the server agrees. */
  subscribes: string | undefined;
  unsubscribes: string | undefined;
  agreed: boolean;
}

/**
 * Bounds what stays behind when a call is over: legacy sessions, open streams and subscriptions, of one principal and in
 * all. After `authorize`: what is denied holds no place.
 *
 * Counts what this process sees. Replicas count each for itself: the bounds of N replicas together are N times these.
 */
export function sessionLimits({ limits, report, monotonic }: SessionLimitsDeps): Filter {
  const sessions = new SessionBook(limits);
  const subscriptions = new SubscriptionBook(limits);
  const streams = new StreamCounts(limits);
  const held = new WeakMap<Exchange, Held>();

  const refuse = (code: ErrorCode, { bound, retryAfterMs }: BoundReached, exchange: Exchange): Verdict => {
    report({ kind: 'bound', bound, upstream: exchange.upstream });
    if (retryAfterMs === undefined) return reject(new GatewayError(code, { data: { bound } }));
    const headers = { 'retry-after': `${Math.max(1, Math.ceil(retryAfterMs / 1000))}` };
    return reject(
      new GatewayError(code, { data: { bound, retryAfterMs: Math.ceil(retryAfterMs) }, headers }),
    );
  };

  return {
    name: 'session-limits',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      if (frame.kind !== 'request' && frame.kind !== 'stream-open') {
        use(exchange);
        return pass;
      }
      const { principal } = exchange;
      if (opensSession(frame, exchange)) {
        const full = sessions.reserve(principal.id, monotonic());
        if (full !== undefined) return refuse('sessions-exhausted', full, exchange);
        holdingsOf(exchange).opensSession = true;
        return pass;
      }
      use(exchange);
      if (isLongLived(exchange)) {
        const full = streams.open(principal.id, exchange.facts.session?.key);
        if (full !== undefined) return refuse('streams-exhausted', full, exchange);
        // What a later step refuses is given back at the end all the same.
        holdingsOf(exchange).streams = true;
      }
      return frame.kind === 'request' ? subscribe(frame, exchange) : pass;
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
      const holds = frame.kind === 'result' ? held.get(exchange) : undefined;
      if (holds !== undefined) holds.agreed = true;
      return pass;
    },
    end(exchange: Exchange): void {
      const { facts, principal } = exchange;
      const holds = held.get(exchange);
      if (holds !== undefined) {
        held.delete(exchange);
        giveBack(holds, exchange);
      }
      if (facts.session === undefined) return;
      if (facts.sessionOver) {
        sessions.end(facts.session.key);
        subscriptions.end(facts.session.key);
      } else if (holds?.streams === true) {
        sessions.use(principal.id, facts.session.key, monotonic());
      }
    },
  };

  /** What this exchange holds. Most hold nothing, and have no entry. */
  function holdingsOf(exchange: Exchange): Held {
    const known = held.get(exchange);
    if (known !== undefined) return known;
    const holds: Held = {
      opensSession: false,
      streams: false,
      listensTo: 0,
      subscribes: undefined,
      unsubscribes: undefined,
      agreed: false,
    };
    held.set(exchange, holds);
    return holds;
  }

  /** A session that is used lives. */
  function use(exchange: Exchange): void {
    const { session } = exchange.facts;
    if (session === undefined) return;
    const now = monotonic();
    if (!sessions.use(exchange.principal.id, session.key, now)) {
      report({ kind: 'bound', bound: 'sessions-uncounted', upstream: exchange.upstream });
    }
    subscriptions.use(session.key, now);
  }

  function subscribe(frame: RequestFrame, exchange: Exchange): Verdict {
    const { principal } = exchange;
    const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
    if (row?.targets.includes('subscriptions')) {
      const count = listenedTo(frame);
      const full = subscriptions.listen(principal.id, count, monotonic());
      if (full !== undefined) return refuse('subscriptions-exhausted', full, exchange);
      holdingsOf(exchange).listensTo = count;
      return pass;
    }
    const uri = frame.params === undefined ? undefined : own(frame.params, 'uri');
    if (row?.subscription === undefined || typeof uri !== 'string') return pass;
    if (row.subscription === 'end') {
      holdingsOf(exchange).unsubscribes = uri;
      return pass;
    }
    const noted = subscriptions.subscribe(principal.id, scopeOf(exchange), uri, monotonic());
    if (noted === 'known') return pass;
    if (noted !== undefined) return refuse('subscriptions-exhausted', noted, exchange);
    holdingsOf(exchange).subscribes = uri;
    return pass;
  }

  function giveBack(holds: Held, exchange: Exchange): void {
    const { facts, principal, upstream } = exchange;
    if (holds.opensSession) {
      const { upstreamSessionId } = facts;
      const isOpen = facts.replyHeaders['mcp-session-id'] !== undefined && upstreamSessionId !== undefined;
      const key = isOpen ? sessionKey(principal.id, upstream, upstreamSessionId) : undefined;
      sessions.settle(principal.id, key, monotonic());
    }
    if (holds.streams) streams.close(principal.id, facts.session?.key);
    if (holds.listensTo > 0) subscriptions.release(principal.id, holds.listensTo);
    const scope = scopeOf(exchange);
    if (holds.subscribes !== undefined && !holds.agreed) {
      subscriptions.unsubscribe(principal.id, scope, holds.subscribes);
    }
    if (holds.unsubscribes !== undefined && holds.agreed) {
      subscriptions.unsubscribe(principal.id, scope, holds.unsubscribes);
    }
  }
}

function opensSession(frame: Frame, exchange: Exchange): boolean {
  return exchange.era === 'legacy' && frame.kind === 'request' && frame.method === 'initialize';
}

/** Resources and tasks that one `subscriptions/listen` is told of. */
function listenedTo({ params }: RequestFrame): number {
  const filter = params === undefined ? undefined : own(params, 'notifications');
  if (!isJsonObject(filter)) return 0;
  let count = 0;
  for (const member of ['resourceSubscriptions', 'taskIds']) {
    const list = own(filter, member);
    if (Array.isArray(list)) count += list.length;
  }
  return count;
}
