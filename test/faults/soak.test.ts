import { describe, expect } from 'vitest';
import { soak } from './soak-run.ts';
import { fault, percent, scale } from './table.ts';

/** MiB. A short run is still warming up: what grows without end passes this within minutes. */
const mostGrowth = 16;

describe('a gateway in mixed traffic', () => {
  const seconds = scale(20, 300);

  fault(
    `${seconds} s of official clients of both eras, with upstream resets, client aborts, reloads and floods between them`,
    'at least 99.9 % of honest answers are right; memory stays flat; descriptors and child processes come back to where they were',
    async (measured) => {
      const report = await soak({ milliseconds: seconds * 1000, every: seconds * 50 });
      const { before, after, samples, sent, right, wrong, troubles, heapSlope } = report;
      measured(`${percent(right / sent)} of ${sent} answers right`);
      measured(
        Object.entries(troubles)
          .map(([what, count]) => `${count} ${what}`)
          .join(', '),
      );
      const warm = samples[Math.floor(samples.length / 2)]!;
      const last = samples.at(-1)!;
      measured(
        `heap after collection ${before.heap.toFixed(1)} MiB at the start, ${warm.heap.toFixed(1)} half-way, ${last.heap.toFixed(1)} at the end (${heapSlope.toFixed(2)} MiB a minute)`,
      );
      measured(
        `descriptors ${before.descriptors} before, ${after.descriptors} after; ${after.children} children`,
      );
      expect(sent - right, JSON.stringify([...wrong])).toBeLessThanOrEqual(Math.max(1, sent / 1000));
      expect(last.heap - warm.heap).toBeLessThan(mostGrowth);
      expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
      expect(after.children).toBe(before.children);
    },
    seconds * 1000 + 120_000,
  );
});
