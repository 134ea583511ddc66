import type { TimedStage } from './call-times.ts';
import type { Progress } from './failure.ts';

/**
 * Where a call stands.
 *
 * - `queued` not written yet, `waiting` written and no answer yet
 * - `json` collecting a body, `streaming` handing out events
 * - `empty` a success without a content type, which must turn out to have no body
 * - `discarding` settled; the rest is read to keep the connection, within bounds
 * - `abandoned` settled while queued: it must never be written
 * - `over` undici is done with it
 */
export type Stage =
  | 'queued'
  | 'waiting'
  | 'json'
  | 'streaming'
  | 'empty'
  | 'discarding'
  | 'abandoned'
  | 'over';

/** By which of its time-outs a call is judged. */
export const timedStages: Readonly<Record<Stage, TimedStage>> = {
  queued: 'queued',
  waiting: 'waiting',
  streaming: 'streaming',
  json: 'answering',
  empty: 'answering',
  discarding: 'answering',
  abandoned: 'answering',
  over: 'answering',
};

/** How far a call had come that fails: whether it may be made once more depends on that. */
export function progressAt(stage: Stage): Progress {
  return stage === 'queued' ? 'unsent' : stage === 'waiting' ? 'sent' : 'answered';
}
