import type { MetricDefinition } from './metric-family.ts';

/** How loaded the process is, and what it sheds for that. */
export const overloadDefinitions = {
  shed: {
    name: 'sallyport_shed_total',
    type: 'counter',
    help:
      'Requests refused because there was more to do than could be done, by what they were: `session`, `list`, `call-low`, ' +
      '`call-normal`; `in-flight` where as much as may be was under way; `share` where one caller had as much of it as may be.',
    labels: ['upstream', 'what'],
  },
  overloadLevel: {
    name: 'sallyport_overload_level',
    type: 'gauge',
    help: 'How much is shed: 0 nothing, 1 new sessions, 2 lists too, 3 calls of low priority too, 4 all but callers of high priority; between two numbers the next kind in part.',
    labels: [],
    aggregate: 'max',
  },
  overloadDelay: {
    name: 'sallyport_event_loop_delay_seconds',
    type: 'gauge',
    help: 'How late the event loop is, smoothed over 100 ms: what `overload.delay` is compared with.',
    labels: [],
    aggregate: 'max',
  },
  overloadWait: {
    name: 'sallyport_admission_wait_seconds',
    type: 'gauge',
    help: 'How long the first in line, those of low priority left out, has waited for its turn, smoothed over 100 ms: what `overload.wait` is compared with.',
    labels: [],
    aggregate: 'max',
  },
  overloadLine: {
    name: 'sallyport_admission_line',
    type: 'gauge',
    help: 'Requests that wait for their turn, before their bodies are read.',
    labels: [],
  },
  underWay: {
    name: 'sallyport_requests_in_flight',
    type: 'gauge',
    help: 'Requests under way, open streams left out: what `overload.inFlight` bounds.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
