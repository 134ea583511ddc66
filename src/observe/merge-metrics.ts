import { type MetricObjectWithValues, type MetricValue, Registry } from '@prometheus-io/client';

/** All metrics of one process at one moment. Structured clone can copy it. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** The numbers of several processes as those of one. */
export interface MergedMetrics {
  /** The text of a scrape. `own`: of the process that merges. `others`: by process id, of those that run and answered. */
  scrape(own: MetricsSnapshot, others: ReadonlyMap<number, MetricsSnapshot>): Promise<string>;
  /**
   * A process is gone. What it had counted when it was last scraped stays in the sums, or every counter would go back;
   * what it counted since is lost.
   */
  gone(process: number): void;
}

/** When a process began: of all those of one gateway the one that merges began first, and its word counts. */
const startTime = 'process_start_time_seconds';

/**
 * Counters and histograms are summed. Gauges are summed too, unless their definition says that the least or the greatest
 * counts (`aggregate`).
 */
export function createMergedMetrics(): MergedMetrics {
  const last = new Map<number, MetricsSnapshot>();
  let retired: MetricsSnapshot = [];
  return {
    async scrape(own, others) {
      for (const [process, snapshot] of others) last.set(process, snapshot);
      // One that did not answer this time is told as it was: a counter that is missing for once would seem to begin anew.
      const parts = [own.map(asOnly), retired, ...[...last.values()].map(withoutStart)];
      return Registry.aggregate(parts.map((part) => [...part])).metrics();
    },
    gone(process) {
      const snapshot = last.get(process);
      last.delete(process);
      if (snapshot === undefined) return;
      const counted = snapshot.filter(
        ({ type, aggregator }) => isCounted(String(type)) && (aggregator ?? 'sum') === 'sum',
      );
      retired = Registry.aggregate([
        [...retired],
        [...counted],
      ]).getMetricsAsArray() as unknown as MetricsSnapshot;
    },
  };
}

function isCounted(type: string): boolean {
  return type === 'counter' || type === 'histogram';
}

function withoutStart(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.filter(({ name }) => name !== startTime);
}

function asOnly(
  metric: MetricObjectWithValues<MetricValue<string>>,
): MetricObjectWithValues<MetricValue<string>> {
  return metric.name === startTime ? { ...metric, aggregator: 'first' } : metric;
}
