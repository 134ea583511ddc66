import { type MemorySource, memoryShare, readMemoryLimit, thisProcess } from './memory.ts';
import { readEveryMs, type Shedder } from './shedder.ts';

/** Readings between two looks at memory: 500 ms, because it moves slower than the loop and costs more to read. */
const readingsToMemory = 25;

/**
 * Feeds a shedder with readings: how late its own timer is says how late the event loop is.
 *
 * @returns stops it
 */
export function watchOverload(
  shedder: Shedder,
  clock: () => number = () => performance.now(),
  source: MemorySource = thisProcess,
): () => void {
  const allowed = readMemoryLimit();
  let share = memoryShare(source, allowed);
  let readings = 0;
  let last = clock();
  const timer = setInterval(() => {
    const now = clock();
    const elapsedMs = now - last;
    last = now;
    readings += 1;
    if (readings % readingsToMemory === 0) share = memoryShare(source, allowed);
    shedder.read({ delayMs: elapsedMs - readEveryMs, elapsedMs, memoryShare: share });
  }, readEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
