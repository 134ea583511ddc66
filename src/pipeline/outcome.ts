import type { ErrorCode } from '../errors.ts';
import type { Peer } from '../identity/peer.ts';
import type { Principal } from '../identity/principal.ts';
import type { Exchange } from './exchange.ts';

/**
 * How something ended: what audit, metrics and traces see. Refusals before anyone is known have no exchange.
 *
 * `opened` is recorded when a long-lived stream begins; the same exchange is recorded again when it ends.
 */
export interface Outcome {
  readonly event: 'exchange' | 'stream-opened' | 'stream-ended' | 'question' | 'refusal';
  readonly peer: Peer;
  readonly principal: Principal | undefined;
  readonly upstream: string | undefined;
  readonly verb: string;
  readonly exchange: Exchange | undefined;
  /** For `question`: the method that the server asked of the client, and what became of it. */
  readonly question?: { readonly method: string; readonly rule: string | undefined };
  /** `ok`; `tool-error` (`isError`); `rpc-error` (the upstream's own error); `cancelled`; or why the gateway refused. */
  readonly code: 'ok' | 'tool-error' | 'rpc-error' | 'cancelled' | ErrorCode;
  /** JSON-RPC error code that the client saw. */
  readonly rpcCode: number | undefined;
  /** HTTP status that the client saw. */
  readonly status: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly durationMs: number;
  /** Time spent waiting for the upstream's answer to begin. */
  readonly upstreamMs: number | undefined;
  readonly requestBytes: number;
  readonly replyBytes: number;
  readonly framesToClient: number;
  /** What really happened, for operators. */
  readonly cause: unknown;
  /** For `refusal`: how many like it this one stands for, where a flood makes too many to record each. */
  readonly times?: number;
}

/** Where outcomes go. observe/ implements it. */
export interface Recorder {
  /** False while records cannot be written and configuration says that such calls are refused. */
  accepting(): boolean;
  /**
   * Records one outcome.
   *
   * @returns undefined where nothing needs waiting for; otherwise a promise that resolves once the record is
   *   written and rejects if it cannot be: the answer must then be withheld
   */
  record(outcome: Outcome): Promise<void> | undefined;
}
