import { randomInt } from 'node:crypto';
import type { RequestId } from '../mcp/frame.ts';
import type { MethodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { MemoryLimits } from './options.ts';

/** A client's request that has not been answered. */
export interface Asked {
  /** The id towards the upstream: unique in this process. */
  readonly gatewayId: number;
  readonly clientId: RequestId;
  readonly row: MethodRow;
  /** What the request is about, as its header mirrors it: the tool's name, the URI. Undefined where nothing is. */
  readonly target: string | undefined;
  readonly progressToken: RequestId | undefined;
  /** Key of the legacy session, undefined outside of one. */
  readonly session: string | undefined;
  /** handles: what the handles in the request opened to. Undefined where it can hold none, or was not allowed. */
  readonly opened: OpenedHandles | undefined;
}

export interface OpenedHandles {
  /** The upstream's own cursor. */
  readonly cursor: string | undefined;
  /** What a cursor for the next page belongs to; undefined where the method has no pages. */
  readonly pageOf: string | undefined;
  readonly tasks: readonly KnownTask[];
  /** Entries on the pages of a list that came before. */
  readonly listed: number;
  /** list-limits: the same, with those on the page that came now. */
  listedNow: number;
}

/** A task of an upstream, and the call that began it. */
export interface KnownTask {
  /** The upstream's own id. */
  readonly upstreamId: string;
  /** What the client has in place of it. */
  readonly handle: string;
  readonly tool: string;
}

/**
 * Which questions were asked and are not answered yet. `correlate` writes it; checks that judge an answer read what
 * was asked from it, because a resumed stream brings answers to the questions of an earlier exchange.
 *
 * A request lives as long as its exchange. In a legacy session a broken stream is no cancellation, and the answer may
 * be fetched by resuming: such a request lives on without its exchange, for a limited time.
 */
export interface Outstanding {
  /** Why a request cannot be taken, or the request with its new id. */
  ask(
    exchange: Exchange,
    question: Omit<Asked, 'gatewayId' | 'session' | 'opened'>,
  ): Asked | 'in-use' | 'full';
  /** The request with this gateway id, if this exchange may hear its answer. */
  find(gatewayId: RequestId | undefined, exchange: Exchange): Asked | undefined;
  /** The request of this very exchange, while it is not answered. */
  of(exchange: Exchange): Asked | undefined;
  /** Writes down what the handles in the request of this very exchange opened to. */
  note(exchange: Exchange, opened: OpenedHandles): void;
  /** The unanswered request of a session by the id that its client gave it. */
  inSession(session: string, clientId: RequestId): Asked | undefined;
  /** Whether a live request that this exchange may hear about gave out this progress token. */
  hasProgressToken(token: RequestId, exchange: Exchange): boolean;
  /** Takes over what another process asked in a session: it lives on for a limited time. Overlooked where it is known. */
  adopt(asked: Asked): void;
  answered(asked: Asked): void;
  /** The exchange is over. @param keep whether its answer may still be fetched */
  end(exchange: Exchange, keep: boolean): void;
  readonly size: number;
}

interface Entry extends Asked {
  owner: Exchange | undefined;
  opened: OpenedHandles | undefined;
  /** When a request without its exchange is forgotten. */
  expiresAt: number;
}

/**
 * Memory of requests. Where there are too many, in all or in one session, a new one is refused; requests that live on
 * without their exchange make room first, oldest first.
 *
 * @param monotonic milliseconds
 */
export function createOutstanding(
  limits: Pick<MemoryLimits, 'requests' | 'requestsPerSession' | 'lateAnswers'>,
  monotonic: () => number,
): Outstanding {
  const byId = new Map<number, Entry>();
  const byExchange = new WeakMap<Exchange, Entry>();
  const bySession = new Map<string, Map<string, Entry>>();
  /** In the order of expiry, since all of them live equally long. */
  const detached = new Map<number, Entry>();
  // A random start: an answer that was held back over a restart does not fit a question of the new process.
  let lastId = randomInt(2 ** 47);

  const forget = (entry: Entry): void => {
    byId.delete(entry.gatewayId);
    detached.delete(entry.gatewayId);
    if (entry.owner !== undefined) byExchange.delete(entry.owner);
    if (entry.session === undefined) return;
    const ofSession = bySession.get(entry.session);
    const key = idKey(entry.clientId);
    // One that another process asked may have the id of one that is under way here.
    if (ofSession?.get(key) === entry) ofSession.delete(key);
    if (ofSession?.size === 0) bySession.delete(entry.session);
  };
  const purge = (): void => {
    if (detached.size === 0) return;
    const now = monotonic();
    for (const entry of detached.values()) {
      if (entry.expiresAt > now) return;
      forget(entry);
    }
  };
  /** Whether there is room for one more, after the oldest of `candidates` that nobody waits for has gone. */
  const makeRoom = (size: number, maximum: number, candidates: Iterable<Entry>): boolean => {
    if (size < maximum) return true;
    for (const entry of candidates) {
      if (entry.owner !== undefined) continue;
      forget(entry);
      return true;
    }
    return false;
  };

  return {
    ask(exchange, question) {
      purge();
      const session = exchange.facts.session?.key;
      const ofSession = session === undefined ? undefined : bySession.get(session);
      if (ofSession?.has(idKey(question.clientId))) return 'in-use';
      if (!makeRoom(byId.size, limits.requests, detached.values())) return 'full';
      if (!makeRoom(ofSession?.size ?? 0, limits.requestsPerSession, ofSession?.values() ?? []))
        return 'full';
      lastId += 1;
      const entry: Entry = {
        ...question,
        gatewayId: lastId,
        session,
        opened: undefined,
        owner: exchange,
        expiresAt: Number.POSITIVE_INFINITY,
      };
      byId.set(entry.gatewayId, entry);
      byExchange.set(exchange, entry);
      if (session !== undefined) {
        let entries = bySession.get(session);
        if (entries === undefined) {
          entries = new Map();
          bySession.set(session, entries);
        }
        entries.set(idKey(question.clientId), entry);
      }
      return entry;
    },
    find(gatewayId, exchange) {
      purge();
      const entry = typeof gatewayId === 'number' ? byId.get(gatewayId) : undefined;
      if (entry === undefined) return undefined;
      if (entry.owner === exchange) return entry;
      // The key of a session names its principal and upstream too: nobody else's session can be meant.
      return entry.session !== undefined && entry.session === exchange.facts.session?.key ? entry : undefined;
    },
    of: (exchange) => byExchange.get(exchange),
    note(exchange, opened) {
      const entry = byExchange.get(exchange);
      if (entry !== undefined) entry.opened = opened;
    },
    inSession(session, clientId) {
      purge();
      return bySession.get(session)?.get(idKey(clientId));
    },
    hasProgressToken(token, exchange) {
      if (byExchange.get(exchange)?.progressToken === token) return true;
      purge();
      const session = exchange.facts.session?.key;
      if (session === undefined) return false;
      for (const entry of bySession.get(session)?.values() ?? [])
        if (entry.progressToken === token) return true;
      return false;
    },
    adopt(asked) {
      purge();
      const { session } = asked;
      if (session === undefined || byId.has(asked.gatewayId)) return;
      if (!makeRoom(byId.size, limits.requests, detached.values())) return;
      const entry: Entry = { ...asked, owner: undefined, expiresAt: monotonic() + limits.lateAnswers };
      byId.set(entry.gatewayId, entry);
      detached.set(entry.gatewayId, entry);
      const ofSession = bySession.get(session) ?? new Map<string, Entry>();
      bySession.set(session, ofSession);
      const key = idKey(asked.clientId);
      if (!ofSession.has(key)) ofSession.set(key, entry);
    },
    answered(asked) {
      const entry = byId.get(asked.gatewayId);
      if (entry !== undefined) forget(entry);
    },
    end(exchange, keep) {
      const entry = byExchange.get(exchange);
      if (entry === undefined) return;
      if (!keep || entry.session === undefined) {
        forget(entry);
        return;
      }
      byExchange.delete(exchange);
      entry.owner = undefined;
      entry.expiresAt = monotonic() + limits.lateAnswers;
      detached.set(entry.gatewayId, entry);
    },
    get size() {
      return byId.size;
    },
  };
}

/** `1` and `"1"` are different ids. */
export function idKey(id: RequestId): string {
  return typeof id === 'number' ? `n${id}` : `s${id}`;
}
