import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import { eraOf, isRevision } from '../mcp/revision.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { own } from '../values/json.ts';
import { scopeOf } from './scope.ts';
import type { Sealer } from './seal.ts';
import { type SessionSealer, sessionKey } from './session-sealer.ts';

const header = 'mcp-session-id';

/**
 * Legacy sessions. The client never holds an upstream's session id or event id, only sealed ones that open for its own
 * principal and for this upstream. Revision 2026-07-28 has no sessions: a session header there is ignored.
 *
 * @param eventIds sealer for the event ids of streams
 */
export function session(sessions: SessionSealer, eventIds: Sealer): Filter {
  return {
    name: 'session',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      const { facts, headers } = exchange;
      if (exchange.era === 'modern') return pass;
      if (isInitialize(frame)) {
        // A new session: one that the client may still hold is none of its business, so the header counts for nothing.
        sealEventIds(exchange, eventIds);
        return pass;
      }
      if (headers.sessionId !== undefined) {
        facts.session = sessions.openSession(
          headers.sessionId,
          exchange.principal.id,
          exchange.upstream,
          exchange.time,
        );
        if (facts.session === undefined) return reject(new GatewayError('session-unknown'));
        // Frames were judged by exchange.revision: a session must not be driven by another revision's method table.
        if (facts.session.revision !== exchange.revision) {
          return reject(
            new GatewayError('header-invalid', {
              cause: `the session speaks ${facts.session.revision}, the request ${exchange.revision}`,
            }),
          );
        }
        if (headers.version !== undefined && headers.version !== facts.session.revision) {
          return reject(
            new GatewayError('header-invalid', { cause: 'the version is not the one of the session' }),
          );
        }
      } else if (frame.kind === 'session-end') {
        return reject(new GatewayError('session-missing'));
      }
      sealEventIds(exchange, eventIds);
      if (frame.kind !== 'stream-open' || frame.lastEventId === undefined) return pass;
      const lastEventId = openEventId(frame.lastEventId, scopeOf(exchange), eventIds);
      if (lastEventId === undefined) return reject(new GatewayError('session-unknown'));
      return replace({ ...frame, lastEventId });
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
      const { facts, request } = exchange;
      const upstreamId = facts.upstreamSessionId;
      if (exchange.era === 'modern' || upstreamId === undefined || !isInitialize(request)) return pass;
      if (frame.kind !== 'result') {
        // Until the result names the revision there is no session to speak in, and the reply's headers must wait for it.
        return frame.kind === 'error' ? pass : drop('before-initialized');
      }
      const revision = own(frame.result, 'protocolVersion');
      if (!isRevision(revision) || eraOf(revision) !== 'legacy')
        return reject(new GatewayError('upstream-invalid'));
      const sealed = sessions.sealSession(
        { principalId: exchange.principal.id, upstream: exchange.upstream, upstreamId, revision },
        exchange.time,
      );
      if (sealed === undefined) return reject(new GatewayError('upstream-invalid'));
      facts.replyHeaders[header] = sealed;
      return pass;
    },
  };
}

function isInitialize(frame: Frame): boolean {
  return frame.kind === 'request' && frame.method === 'initialize';
}

/** Hands out `<tag>.<id>`: the tag binds the upstream's event id to the session, and so to its principal. */
function sealEventIds(exchange: Exchange, eventIds: Sealer): void {
  const { facts } = exchange;
  facts.sealEventId = (id) => {
    facts.resumable = true;
    return `${eventIds.tag(JSON.stringify([streamScope(exchange), id]))}.${id}`;
  };
}

/** The session that `initialize` is about to begin has no Session yet, but its answer already names it. */
function streamScope(exchange: Exchange): string {
  const { facts, request } = exchange;
  return isInitialize(request) && facts.upstreamSessionId !== undefined
    ? sessionKey(exchange.principal.id, exchange.upstream, facts.upstreamSessionId)
    : scopeOf(exchange);
}

function openEventId(given: string, scope: string, eventIds: Sealer): string | undefined {
  const dot = given.indexOf('.');
  if (dot < 0) return undefined;
  const id = given.slice(dot + 1);
  return eventIds.verify(JSON.stringify([scope, id]), given.slice(0, dot)) ? id : undefined;
}
