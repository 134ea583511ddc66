import type { UpstreamAnswer } from '../pipeline/upstream-port.ts';
import type { Deadlines } from './deadlines.ts';
import type { Progress } from './failure.ts';
import type { HeldShare } from './held-bytes.ts';
import type { HttpUpstreamOptions } from './options.ts';

/** Told how a call goes: one of the first two once, and after a stream one of the others once. */
export interface CallEnd {
  resolve(answer: UpstreamAnswer): void;
  reject(reason: unknown, progress: Progress): void;
  /** The stream that was handed out came to its end, or nobody wanted more of it. */
  streamEnded(): void;
  streamFailed(reason: unknown): void;
}

export interface CallRules {
  readonly timeouts: HttpUpstreamOptions['timeouts'];
  readonly limits: HttpUpstreamOptions['limits'];
  readonly deadlines: Deadlines;
  /** Absent: nobody counts. */
  readonly held?: HeldShare | undefined;
}
