import type { ControlCommands } from '../listener/control.ts';
import type { MetricsSnapshot } from '../observe/merge-metrics.ts';
import type { Readiness } from '../observe/readiness.ts';
import type { SharedState } from '../state/contract.ts';
import type { Line } from '../workers/line.ts';

/** What a gateway gets from the process that began it. */
export interface Surroundings {
  /** Number of this worker, from 1. */
  readonly worker: number;
  /** How many there are. */
  readonly workers: number;
  /** The pipe to the primary, who counts limits where no Redis does. */
  readonly line: Line;
  /** What the primary remembers for all workers, where no Redis does. */
  readonly state: SharedState;
  /** Origin of the admin port, which is the primary's. */
  readonly adminUrl: string;
  /** Key material where the configuration names no file: the same for all workers. */
  readonly sessionKey: Buffer;
  readonly redactionKey: Buffer;
}

/** What the primary asks of a gateway that is one of its workers. */
export interface InnerView {
  ready(): Readiness;
  numbers(): Promise<MetricsSnapshot>;
  /** Hash of the policy in force. */
  policy(): string;
  readonly blocks: ControlCommands;
}
