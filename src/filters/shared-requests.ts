import type { RequestId } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { SharedState } from '../state/contract.ts';
import { type Asked, idKey, type OpenedHandles, type Outstanding } from './outstanding.ts';

/**
 * What other processes asked for the clients of sessions. A client may cancel over another connection, and fetch an
 * answer that it missed; progress may come on another stream.
 */
export interface SharedRequests {
  /** The same memory, which tells the other processes of what is asked in sessions. */
  readonly outstanding: Outstanding;
  /** The id towards the upstream of what the client calls so. */
  idOf(session: string, clientId: RequestId): Promise<number | undefined>;
  hasProgressToken(session: string, token: RequestId): Promise<boolean>;
  /** Puts what another process asked in this session into this one's memory, so that its answer can be judged here. */
  recall(gatewayId: RequestId | undefined, exchange: Exchange): Promise<void>;
}

/** What is told of one request. */
interface Told {
  readonly clientId: RequestId;
  readonly method: string;
  readonly target: string | undefined;
  readonly progressToken: RequestId | undefined;
  readonly opened: OpenedHandles | undefined;
}

/**
 * @param keepMs milliseconds: how long a request is known elsewhere, counted from its beginning and again from the end
 *   of its stream
 */
export function shareRequests(inner: Outstanding, state: SharedState, keepMs: number): SharedRequests {
  const answerKey = (session: string, gatewayId: number): string =>
    JSON.stringify(['answer', session, gatewayId]);
  const cancelKey = (session: string, id: RequestId): string =>
    JSON.stringify(['cancel', session, idKey(id)]);
  const progressKey = (session: string, token: RequestId): string =>
    JSON.stringify(['progress', session, idKey(token)]);

  // Nobody waits for these: where one is lost a cancellation or a late answer is, and the call itself is not.
  function tell(asked: Asked): void {
    const { session, clientId, gatewayId, row, target, progressToken, opened } = asked;
    if (session === undefined) return;
    const told: Told = { clientId, method: row.method, target, progressToken, opened };
    void state.put('request', answerKey(session, gatewayId), JSON.stringify(told), keepMs);
    void state.put('request', cancelKey(session, clientId), String(gatewayId), keepMs);
    if (progressToken !== undefined)
      void state.put('request', progressKey(session, progressToken), '1', keepMs);
  }

  function forget({ session, clientId, gatewayId, progressToken }: Asked): void {
    if (session === undefined) return;
    state.forget('request', answerKey(session, gatewayId));
    state.forget('request', cancelKey(session, clientId));
    if (progressToken !== undefined) state.forget('request', progressKey(session, progressToken));
  }

  return {
    outstanding: {
      ask: (exchange, question) => inner.ask(exchange, question),
      find: (gatewayId, exchange) => inner.find(gatewayId, exchange),
      of: (exchange) => inner.of(exchange),
      note(exchange, opened) {
        inner.note(exchange, opened);
        // Only now: what was refused before this was never sent.
        const asked = inner.of(exchange);
        if (asked !== undefined) tell(asked);
      },
      inSession: (session, clientId) => inner.inSession(session, clientId),
      hasProgressToken: (token, exchange) => inner.hasProgressToken(token, exchange),
      adopt: (asked) => inner.adopt(asked),
      answered(asked) {
        inner.answered(asked);
        forget(asked);
      },
      end(exchange, keep) {
        const asked = inner.of(exchange);
        inner.end(exchange, keep);
        if (asked === undefined) return;
        if (keep) tell(asked);
        else forget(asked);
      },
      get size() {
        return inner.size;
      },
    },
    async idOf(session, clientId) {
      const text = await state.get('request', cancelKey(session, clientId));
      return text === undefined ? undefined : Number(text);
    },
    hasProgressToken: async (session, token) =>
      (await state.get('request', progressKey(session, token))) !== undefined,
    async recall(gatewayId, exchange) {
      const session = exchange.facts.session?.key;
      if (session === undefined || typeof gatewayId !== 'number') return;
      const text = await state.get('request', answerKey(session, gatewayId));
      if (text === undefined) return;
      const { method, ...told } = JSON.parse(text) as Told;
      const row = methodRow(method, exchange.revision, 'toUpstream', 'request');
      if (row === undefined) return;
      inner.adopt({
        clientId: told.clientId,
        target: told.target,
        progressToken: told.progressToken,
        opened: told.opened,
        gatewayId,
        row,
        session,
      });
    },
  };
}
