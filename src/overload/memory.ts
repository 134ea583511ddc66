import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

/** What has been read of the memory of this process. */
export interface MemorySource {
  heap(): { readonly used: number; readonly limit: number };
  /** Bytes that the process has in memory. */
  resident(): number;
}

export const thisProcess: MemorySource = {
  heap() {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return { used, limit };
  },
  resident: () => process.memoryUsage.rss(),
};

/**
 * Memory in use as a share of what may be used: of the heap's limit or of the control group's, whichever is nearer.
 *
 * @param allowed what the control group allows, in bytes; undefined where nothing is said
 */
export function memoryShare(source: MemorySource, allowed: number | undefined): number {
  const { used, limit } = source.heap();
  const ofHeap = used / limit;
  return allowed === undefined ? ofHeap : Math.max(ofHeap, source.resident() / allowed);
}

/** Where the limit stands, in control groups of version 2 and 1, as a container sees them. */
const limitFiles = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];
/** Version 1 says "no limit" by a number that no machine has. */
const noLimit = 2 ** 50;

/**
 * What the control group of this process allows, in bytes.
 *
 * @returns undefined where there is no limit, or nothing that can be read
 */
export function readMemoryLimit(
  read: (file: string) => string = (file) => readFileSync(file, 'latin1'),
): number | undefined {
  for (const file of limitFiles) {
    try {
      const bytes = Number(read(file).trim());
      // `max` is no number.
      return bytes > 0 && bytes < noLimit ? bytes : undefined;
    } catch {
      // Not this version, or no control groups at all.
    }
  }
  return undefined;
}
