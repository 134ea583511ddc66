import type { Frame, RequestId } from '../../src/mcp/frame.ts';
import type { Passage } from '../../src/pipeline/run.ts';
import type { Call } from './calls.ts';
import { type BenchGate, caller } from './gate.ts';

/** The id of a legacy session; empty where there are none. */
export function sealedSession({ sessions }: BenchGate, { revision }: Call): string {
  if (revision === '2026-07-28') return '';
  const claims = { principalId: caller.id, upstream: 'warehouse', upstreamId: 'bench', revision };
  return sessions.sealSession(claims, Date.now())!;
}

/** @throws where the frame did not pass: nothing is measured that does not work */
export function gone(passage: Passage): Frame {
  if (passage.kind === 'go') return passage.frame;
  throw passage.kind === 'reject' ? passage.error : new Error(passage.reason);
}

export function idOf(frame: Frame): RequestId {
  if (!('id' in frame) || frame.id === undefined) throw new Error(`a ${frame.kind} has no id`);
  return frame.id;
}

/** Microseconds of all threads: collecting what checks leave behind is their cost too. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
