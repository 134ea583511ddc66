import type { MetricDefinition } from './metric-family.ts';

/** How upstreams and their endpoints stand. `endpoint` is host, port and path of a configured URL: as many as there are URLs. */
export const upstreamDefinitions = {
  endpointUsed: {
    name: 'sallyport_upstream_endpoint_used',
    type: 'gauge',
    help: '1 while calls that may choose go to this endpoint, 0 while it is avoided or its breaker is open.',
    labels: ['upstream', 'endpoint'],
    aggregate: 'min',
  },
  endpointActive: {
    name: 'sallyport_upstream_endpoint_active',
    type: 'gauge',
    help: 'Calls and streams under way at this endpoint, those included that wait for a connection.',
    labels: ['upstream', 'endpoint'],
  },
  breakerState: {
    name: 'sallyport_upstream_breaker_state',
    type: 'gauge',
    help: '0 closed, 1 half-open (probes are let through), 2 open (calls are refused at once).',
    labels: ['upstream', 'endpoint'],
    aggregate: 'max',
  },
  breakerRefusals: {
    name: 'sallyport_upstream_breaker_refusals_total',
    type: 'counter',
    help: 'Times that the breaker did not let a call to this endpoint; the call may have gone to another.',
    labels: ['upstream', 'endpoint'],
  },
  ejections: {
    name: 'sallyport_upstream_ejections_total',
    type: 'counter',
    help: 'Times that an endpoint was avoided because of how calls to it ended.',
    labels: ['upstream', 'endpoint'],
  },
  healthChecks: {
    name: 'sallyport_upstream_health_checks_total',
    type: 'counter',
    help: "The gateway's own checks of an endpoint, by outcome: `ok`, `failed`.",
    labels: ['upstream', 'endpoint', 'outcome'],
  },
  upstreamPanic: {
    name: 'sallyport_upstream_panic',
    type: 'gauge',
    help: '1 while so few endpoints do well that all are used.',
    labels: ['upstream'],
    aggregate: 'max',
  },
  upstreamRetries: {
    name: 'sallyport_upstream_retries_total',
    type: 'counter',
    help:
      'Calls that were made once more, by why: `connect` nothing was written; `reread` a list or read whose connection closed ' +
      'before its answer.',
    labels: ['upstream', 'why'],
  },
  retriesUnpaid: {
    name: 'sallyport_upstream_retry_budget_exhausted_total',
    type: 'counter',
    help: 'Calls that might have been made once more, but the retry budget was used up.',
    labels: ['upstream'],
  },
  addressesRefused: {
    name: 'sallyport_upstream_addresses_refused_total',
    type: 'counter',
    help: "Times that a name in an upstream's URL began to have addresses that are refused.",
    labels: ['upstream'],
  },
} as const satisfies Record<string, MetricDefinition>;
