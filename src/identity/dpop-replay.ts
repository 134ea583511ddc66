import { createHash } from 'node:crypto';

/** What a look into the memory says. Only `new` lets a proof pass. */
export type ReplayAnswer = 'new' | 'seen' | 'full' | 'forgotten';

export interface RememberedProof {
  readonly holder: string;
  readonly thumbprint: string;
  readonly id: string;
  readonly until: number;
}

export interface ReplayMemory {
  /**
   * Looks whether a proof was seen before, and remembers it. One step without a pause in it: of two that come at the
   * same time, one is new.
   *
   * @param proof whose it is (the caller, whatever key it uses: keys cost nothing), the thumbprint of the key that
   *   signed it, its `jti`, and the milliseconds since the epoch from when on it is too old anyway
   * @returns `full` where there is no room for this holder: then it is not remembered, and must not pass. `forgotten`
   *   where proofs of that age are no longer remembered, after the clock was set back
   */
  remember(proof: RememberedProof, time: number): ReplayAnswer;
  readonly size: number;
}

/** A twelfth of the memory is let go at a time: what is kept too long costs room. */
const generations = 12;

/** Of the room that is left, the part that one holder may have in use. A quarter: it takes dozens of holders to fill all. */
const share = 1 / 4;

interface Bucket {
  readonly proofs: Set<string>;
  /** How many of them each holder has. */
  readonly perHolder: Map<string, number>;
}

/**
 * Remembers proofs until they would be too old. What it holds are hashes of 32 bytes, whatever clients write into a
 * `jti`.
 *
 * A holder may have a quarter as many proofs in it as there is room left: one that floods gets a fifth of all, the next
 * one a fifth of the rest, and so on, while those who have few find room. Nothing makes room before its time: a proof that
 * was driven out could be used again.
 *
 * @param capacity most proofs that are remembered
 * @param window longest time, in milliseconds, between a proof's coming and its `until`
 */
export function createReplayMemory(capacity: number, window: number): ReplayMemory {
  const span = Math.max(1, Math.ceil(window / generations));
  /** By the end of what is in them, divided by the span. */
  const buckets = new Map<number, Bucket>();
  let size = 0;
  let forgottenUntil = Number.NEGATIVE_INFINITY;

  function forget(time: number): void {
    for (const [index, bucket] of buckets) {
      const end = (index + 1) * span;
      if (end > time) continue;
      buckets.delete(index);
      size -= bucket.proofs.size;
      forgottenUntil = Math.max(forgottenUntil, end);
    }
  }

  function heldBy(holder: string): number {
    let held = 0;
    for (const { perHolder } of buckets.values()) held += perHolder.get(holder) ?? 0;
    return held;
  }

  return {
    remember({ holder, thumbprint, id, until }, time) {
      forget(time);
      if (until < forgottenUntil) return 'forgotten';
      const key = proofKey(thumbprint, id);
      for (const { proofs } of buckets.values()) if (proofs.has(key)) return 'seen';
      const whose = hashOf([holder]);
      if (heldBy(whose) >= (capacity - size) * share) return 'full';
      const index = Math.floor(until / span);
      const bucket = buckets.get(index) ?? { proofs: new Set(), perHolder: new Map() };
      buckets.set(index, bucket);
      bucket.proofs.add(key);
      bucket.perHolder.set(whose, (bucket.perHolder.get(whose) ?? 0) + 1);
      size += 1;
      return 'new';
    },
    get size() {
      return size;
    },
  };
}

/** What stands for a proof wherever it is remembered: no key and no `jti` gives another's. */
export function proofKey(thumbprint: string, id: string): string {
  return hashOf([thumbprint, id]);
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
