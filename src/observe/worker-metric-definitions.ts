import type { MetricDefinition } from './metric-family.ts';

/** What the primary of several workers tells. */
export const workerDefinitions = {
  workers: {
    name: 'sallyport_workers',
    type: 'gauge',
    help: 'Worker processes by state: `configured`, and of them `serving`. Only with `workers` above 1.',
    labels: ['state'],
  },
  workerRestarts: {
    name: 'sallyport_worker_restarts_total',
    type: 'counter',
    help: 'Worker processes that were begun again after one had ended. Only with `workers` above 1.',
    labels: [],
  },
  workerConnectionsWaiting: {
    name: 'sallyport_worker_connections_waiting',
    type: 'gauge',
    help: 'Connections that the primary has accepted and no worker has taken yet; at most 4096. Only with `workers` above 1.',
    labels: [],
  },
  workerConnectionsClosed: {
    name: 'sallyport_worker_connections_closed_total',
    type: 'counter',
    help: 'Connections that were closed unread because 4096 others waited for a worker. Only with `workers` above 1.',
    labels: [],
  },
  workerExchanges: {
    name: 'sallyport_worker_exchanges',
    type: 'gauge',
    help: 'Exchanges that ended in each worker process since it began. Only with `workers` above 1.',
    labels: ['worker'],
  },
} as const satisfies Record<string, MetricDefinition>;
