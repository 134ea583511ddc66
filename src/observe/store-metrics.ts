import { Distribution, type MetricDefinition } from './metric-family.ts';
import type { FurtherMetric } from './standing-metrics.ts';

/** The store that replicas share. Nothing of it is exported where there is none. */
export const storeDefinitions = {
  storeUp: {
    name: 'sallyport_store_up',
    type: 'gauge',
    help: '1 while the store that replicas share answers; 0 while limits are decided without it. Absent without such a store.',
    labels: [],
    aggregate: 'min',
  },
  storeDuration: {
    name: 'sallyport_store_duration_seconds',
    type: 'histogram',
    help: 'How long the shared store took to answer for the limits of one call. Late answers are not in it: they are `lost` events.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Seconds, up to the time-out of the store. */
const buckets: readonly number[] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05];

export interface StoreMetrics {
  /** The store answered after so many milliseconds. */
  answered(milliseconds: number): void;
  readonly metrics: readonly FurtherMetric[];
}

/** @param isUp undefined where replicas share no store */
export function createStoreMetrics(isUp: () => boolean | undefined): StoreMetrics {
  const duration = new Distribution(buckets);
  const { storeUp, storeDuration } = storeDefinitions;
  return {
    answered: (milliseconds) => duration.observe(milliseconds / 1000),
    metrics: [
      {
        definition: storeUp,
        samples() {
          const up = isUp();
          return up === undefined ? [] : [{ labels: {}, value: up ? 1 : 0 }];
        },
      },
      {
        definition: storeDuration,
        samples: () => (isUp() === undefined ? [] : duration.samples(storeDuration.name, {})),
      },
    ],
  };
}
