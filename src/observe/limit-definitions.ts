import type { MetricDefinition } from './metric-family.ts';

/** What the limits of policies do. `limit` is a name from policy. */
export const limitDefinitions = {
  limited: {
    name: 'sallyport_limited_total',
    type: 'counter',
    help: 'Exchanges refused by a limit, by its name.',
    labels: ['upstream', 'limit'],
  },
  shadowLimited: {
    name: 'sallyport_shadow_limited_total',
    type: 'counter',
    help: 'Exchanges that a limit in shadow mode would have refused, by its name.',
    labels: ['upstream', 'limit'],
  },
  limitStoreFull: {
    name: 'sallyport_limit_store_full_total',
    type: 'counter',
    help: 'Exchanges refused because the counts of a limit have no room for one more key.',
    labels: ['upstream', 'limit'],
  },
  limitStore: {
    name: 'sallyport_limit_store_events_total',
    type: 'counter',
    help:
      'What counts the limits: `full` (no room for one more key, also of limits in shadow mode); `local`, `deny`, `allow` ' +
      '(decided without the shared store, by `onStoreLoss`), by the name of the limit; `lost` and `back` of the store.',
    labels: ['event', 'limit'],
  },
  limitKeys: {
    name: 'sallyport_limit_keys',
    type: 'gauge',
    help: 'Keys of limits that this process remembers.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
