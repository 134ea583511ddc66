import type { DecodeLimits } from '../mcp/decode.ts';
import type { Exchange } from './exchange.ts';
import type { Filter } from './filter.ts';
import type { Recorder } from './outcome.ts';
import type { Sink } from './sink.ts';
import type { UpstreamPort } from './upstream-port.ts';

/** What every exchange needs from the gateway around it. */
export interface ConductDependencies {
  readonly filters: readonly Filter[];
  readonly recorder: Recorder;
  /** Bounds on frames that come from upstreams. */
  readonly upstreamDecodeLimits: DecodeLimits;
  /** Monotonic milliseconds. */
  monotonic(): number;
  /** A fault of the gateway itself: for the process log. */
  onFault(cause: unknown, exchangeId: string): void;
}

/** One exchange under way: who takes part, and what its record will need. */
export interface Course {
  readonly exchange: Exchange;
  readonly port: UpstreamPort;
  readonly sink: Sink;
  /** Aborted when the upstream call must end: the client left; or for the reason that it gives, a GatewayError. */
  readonly signal: AbortSignal;
  readonly deps: ConductDependencies;
  /** From the frame's arrival to the beginning of the upstream's answer. */
  upstreamMs: number | undefined;
  framesToClient: number;
  /** A long-lived stream began, and the record says so: its end is recorded as the end of a stream. */
  streamOpened: boolean;
  /** Gives back what the answer holds. */
  release: (() => void) | undefined;
}
