import type { Metric, Registry } from '@prometheus-io/client';
import type { MetricDefinition, MetricSample } from './metric-family.ts';

/**
 * Puts numbers that we keep ourselves into the registry. The library's own counters look up a labels object at each
 * increment, which costs more than all the rest of what is done per exchange here.
 */
export function expose(
  registry: Registry,
  definition: MetricDefinition,
  samples: () => readonly MetricSample[],
): void {
  const { name, help, type, aggregate: aggregator = 'sum' } = definition;
  const metric = {
    name,
    help,
    type,
    aggregator,
    get: async () => ({ name, help, type, aggregator, values: samples() }),
  };
  registry.registerMetric(metric as unknown as Metric);
}
