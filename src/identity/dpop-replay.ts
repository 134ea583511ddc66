import { createHash } from 'node:crypto';

/** What a look into the memory says. Only `new` lets a proof pass. */
export type ReplayAnswer = 'new' | 'seen' | 'full' | 'forgotten';

export interface ReplayMemory {
  /**
   * Looks whether a proof was seen before, and remembers it. One step without a pause in it: of two that come at the
   * same time, one is new.
   *
   * @param thumbprint of the key that signed the proof
   * @param id its `jti`
   * @param until milliseconds since the epoch from when on the proof is too old anyway
   * @returns `full` where there is no room: then it is not remembered, and must not pass. `forgotten` where proofs of
   *   that age are no longer remembered, after the clock was set back
   */
  remember(thumbprint: string, id: string, until: number, time: number): ReplayAnswer;
  readonly size: number;
}

/** A twelfth of the memory is let go at a time: what is kept too long costs room. */
const generations = 12;

/**
 * Remembers proofs until they would be too old. What it holds are hashes of 32 bytes, whatever clients write into a
 * `jti`.
 *
 * @param capacity most proofs that are remembered
 * @param window longest time, in milliseconds, between a proof's coming and its `until`
 */
export function createReplayMemory(capacity: number, window: number): ReplayMemory {
  const span = Math.max(1, Math.ceil(window / generations));
  /** By the end of what is in them, divided by the span. */
  const buckets = new Map<number, Set<string>>();
  let size = 0;
  let forgottenUntil = Number.NEGATIVE_INFINITY;

  function forget(time: number): void {
    for (const [index, bucket] of buckets) {
      const end = (index + 1) * span;
      if (end > time) continue;
      buckets.delete(index);
      size -= bucket.size;
      forgottenUntil = Math.max(forgottenUntil, end);
    }
  }

  return {
    remember(thumbprint, id, until, time) {
      forget(time);
      if (until < forgottenUntil) return 'forgotten';
      const key = createHash('sha256')
        .update(JSON.stringify([thumbprint, id]))
        .digest('base64');
      for (const bucket of buckets.values()) if (bucket.has(key)) return 'seen';
      if (size >= capacity) return 'full';
      const index = Math.floor(until / span);
      const bucket = buckets.get(index);
      if (bucket === undefined) buckets.set(index, new Set([key]));
      else bucket.add(key);
      size += 1;
      return 'new';
    },
    get size() {
      return size;
    },
  };
}
