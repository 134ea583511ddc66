import type { BearerToken } from '../identity/bearer-token.ts';
import type { Principal } from '../identity/principal.ts';

/** What the pipeline asks of a transport towards an MCP server. upstream/ implements it. */
export interface UpstreamPort {
  readonly name: string;
  /**
   * Sends one message and resolves as soon as the kind of answer is known.
   *
   * @throws GatewayError `upstream-unreachable`, `upstream-timeout`, `upstream-invalid`, `upstream-closed`,
   *   `result-too-large`, `credential-unavailable`, `overloaded`, `session-unknown` for a session that is gone with its server; or the signal's reason once it is aborted
   */
  send(message: UpstreamMessage): Promise<UpstreamAnswer>;
}

export interface UpstreamMessage {
  readonly verb: 'POST' | 'GET' | 'DELETE';
  readonly body: Buffer | undefined;
  /** Protocol headers (`mcp-*`, `last-event-id`), names and values in turn. Everything else is the transport's own. */
  readonly headers: readonly string[];
  /** A stream that may stay open beyond the total timeout: GET, `subscriptions/listen`. */
  readonly longLived: boolean;
  /** Milliseconds that this call may take in place of what the upstream's calls may, where policy says so. */
  readonly total?: number | undefined;
  /** What is asked changes nothing, so that it may be asked twice: a list, a read. Absent: it may not. */
  readonly repeatable?: boolean;
  /** Aborting closes the upstream call. */
  readonly signal: AbortSignal;
  /** On whose behalf; undefined where the gateway asks for itself, as for a tool list. */
  readonly caller?: UpstreamCaller | undefined;
  /** Told of every secret that is made for this very call, before it is sent: what comes back may show it. */
  readonly onSecret?: ((secret: string) => void) | undefined;
}

/** Whose call it is, for credentials that are made for each caller. Nothing of it is sent as it stands. */
export interface UpstreamCaller {
  readonly principal: Principal;
  /** What can be exchanged for a token that the upstream accepts; undefined where the caller came without a token. */
  readonly bearer: BearerToken | undefined;
  /** JSON-RPC method, or `stream-open`, `session-end`, `response`. */
  readonly method: string;
  /** Tool or prompt name, resource URI; undefined where the method has no other target. */
  readonly target: string | undefined;
  readonly traceId: string;
}

export type UpstreamAnswer =
  /** 202, 204 or an empty 200. */
  | { readonly kind: 'accepted'; readonly status: number; readonly sessionId: string | undefined }
  /** One JSON body, of any status. Not yet decoded. */
  | {
      readonly kind: 'json';
      readonly status: number;
      readonly sessionId: string | undefined;
      readonly body: Buffer;
      /** To be called once the body is not needed any more: until then it counts as held. */
      readonly done?: () => void;
    }
  /** 200 `text/event-stream`. Iterating pulls: a slow consumer slows the upstream socket. Breaking off closes it. */
  | {
      readonly kind: 'stream';
      readonly sessionId: string | undefined;
      readonly events: AsyncIterable<UpstreamEvent>;
    }
  /** An HTTP failure without a JSON body: the status is for logs and for telling 404 and 405 apart. */
  | { readonly kind: 'refused'; readonly status: number };

/** One Server-Sent Event of type `message`. */
export interface UpstreamEvent {
  /** The joined data lines, UTF-8. Empty for the priming event of 2025-11-25. */
  readonly data: Buffer;
  readonly id: string | undefined;
  /** Milliseconds. */
  readonly retry: number | undefined;
}
