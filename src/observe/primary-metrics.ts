import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import { expose } from './expose-metric.ts';
import { createMergedMetrics, type MetricsSnapshot } from './merge-metrics.ts';
import { definitions } from './metric-definitions.ts';

/** What the primary knows of its workers. Asked at each scrape. */
export interface WorkerNumbers {
  readonly configured: number;
  readonly serving: number;
  readonly restarts: number;
  /** Connections that no worker has taken yet. */
  readonly waitingConnections: number;
  /** Connections that were closed because too many waited. */
  readonly turnedAway: number;
}

export interface PrimaryMetrics {
  /**
   * The text of a scrape: what all processes counted, as if they were one.
   *
   * @param snapshots of the workers that run and answered
   */
  scrape(
    snapshots: readonly {
      readonly worker: number;
      readonly pid: number;
      readonly snapshot: MetricsSnapshot;
    }[],
  ): Promise<string>;
  /** The process with this id is gone. */
  gone(pid: number): void;
  readonly contentType: string;
}

/** @param options.process false leaves out the metrics of this process, for tests */
export function createPrimaryMetrics(
  workers: () => WorkerNumbers,
  options: { readonly process?: boolean } = {},
): PrimaryMetrics {
  const registry = new Registry();
  const merged = createMergedMetrics();
  let perWorker: ReadonlyMap<number, number> = new Map();
  expose(registry, definitions.workers, () => {
    const { configured, serving } = workers();
    return [
      { labels: { state: 'configured' }, value: configured },
      { labels: { state: 'serving' }, value: serving },
    ];
  });
  expose(registry, definitions.workerRestarts, () => [{ labels: {}, value: workers().restarts }]);
  expose(registry, definitions.workerConnectionsWaiting, () => [
    { labels: {}, value: workers().waitingConnections },
  ]);
  expose(registry, definitions.workerConnectionsClosed, () => [{ labels: {}, value: workers().turnedAway }]);
  expose(registry, definitions.workerExchanges, () =>
    [...perWorker].map(([worker, value]) => ({ labels: { worker: String(worker) }, value })),
  );
  if (options.process !== false) collectDefaultMetrics({ register: registry });
  return {
    async scrape(snapshots) {
      perWorker = new Map(snapshots.map(({ worker, snapshot }) => [worker, exchangesIn(snapshot)]));
      const own = await registry.getMetricsAsJSON();
      return merged.scrape(own, new Map(snapshots.map(({ pid, snapshot }) => [pid, snapshot])));
    },
    gone: (pid) => merged.gone(pid),
    contentType: registry.contentType,
  };
}

function exchangesIn(snapshot: MetricsSnapshot): number {
  const family = snapshot.find(({ name }) => name === definitions.exchanges.name);
  return (family?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}
