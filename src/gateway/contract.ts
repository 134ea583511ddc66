import type { ReloadReason } from './reloader.ts';
import type { InnerView } from './surroundings.ts';

/** How a gateway ended. */
export interface Drained {
  /** Whether records were lost: the audit could not be written until the end. */
  readonly lost: boolean;
}

/** A running gateway. */
export interface Gateway {
  /** Where it listens, in the order of the configuration. */
  readonly listeners: readonly { readonly url: string }[];
  readonly adminUrl: string;
  /**
   * Reads policies, certificates, keys and lists again, each whole or not at all: what does not load leaves the last
   * good one in force, and log, metric and `/readyz` tell.
   */
  reload(reason: ReloadReason): Promise<void>;
  /** Stops as an operator wants it: readiness off, no new work, running calls end, streams end, audit flushed. */
  drain(): Promise<Drained>;
  /** What a primary asks of it. */
  readonly inner: InnerView;
}

export type Started =
  | { readonly ok: true; readonly gateway: Gateway }
  /** Nothing was started. */
  | { readonly ok: false; readonly problems: readonly string[] };
