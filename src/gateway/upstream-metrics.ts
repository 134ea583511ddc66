import type { FurtherMetric } from '../observe/standing-metrics.ts';
import { upstreamDefinitions as definitions } from '../observe/upstream-metric-definitions.ts';
import type { EndpointStanding, UpstreamStanding } from '../upstream/standing.ts';

const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const;

/** How upstreams stand, as metrics. Asked at each scrape. */
export function upstreamMetrics(standings: () => readonly UpstreamStanding[]): readonly FurtherMetric[] {
  const ofEach = (value: (standing: UpstreamStanding) => number) => () =>
    standings().map((standing) => ({ labels: { upstream: standing.upstream }, value: value(standing) }));
  const ofEndpoints = (value: (endpoint: EndpointStanding) => number) => () =>
    standings().flatMap(({ upstream, endpoints }) =>
      endpoints.map((one) => ({ labels: { upstream, endpoint: one.endpoint }, value: value(one) })),
    );
  return [
    { definition: definitions.endpointUsed, samples: ofEndpoints(({ used }) => (used ? 1 : 0)) },
    { definition: definitions.endpointActive, samples: ofEndpoints(({ active }) => active) },
    { definition: definitions.breakerState, samples: ofEndpoints(({ breaker }) => breakerStates[breaker]) },
    { definition: definitions.breakerRefusals, samples: ofEndpoints(({ counts }) => counts.refusals) },
    { definition: definitions.ejections, samples: ofEndpoints(({ counts }) => counts.ejections) },
    {
      definition: definitions.healthChecks,
      samples: () =>
        standings().flatMap(({ upstream, endpoints }) =>
          endpoints.flatMap(({ endpoint, counts }) => [
            { labels: { upstream, endpoint, outcome: 'ok' }, value: counts.checksOk },
            { labels: { upstream, endpoint, outcome: 'failed' }, value: counts.checksFailed },
          ]),
        ),
    },
    { definition: definitions.upstreamPanic, samples: ofEach(({ panic }) => (panic ? 1 : 0)) },
    {
      definition: definitions.upstreamRetries,
      samples: () =>
        standings().flatMap(({ upstream, counts }) => [
          { labels: { upstream, why: 'connect' }, value: counts.connect },
          { labels: { upstream, why: 'reread' }, value: counts.reread },
        ]),
    },
    { definition: definitions.retriesUnpaid, samples: ofEach(({ counts }) => counts.unpaid) },
    { definition: definitions.addressesRefused, samples: ofEach(({ counts }) => counts.addressesRefused) },
  ];
}
