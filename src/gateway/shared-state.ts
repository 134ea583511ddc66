import type { SharedState } from '../state/contract.ts';
import { createMemoryState } from '../state/memory.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * What processes of this gateway must know together: in the store that replicas share, else at the primary of several
 * workers, else in this process, which then asks nobody.
 */
export function chooseState(redis: SharedState | undefined, around: Surroundings | undefined): SharedState {
  return redis ?? around?.state ?? createMemoryState(() => performance.now());
}
