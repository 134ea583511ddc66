import type { Config } from '../config/schema.ts';
import type { FilterDeps } from '../filters/deps.ts';
import { createFilters } from '../filters/index.ts';
import { createSessionSealer } from '../filters/session-sealer.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createIdSource } from '../pipeline/exchange-id.ts';
import { createGate, type GateDependencies } from '../pipeline/gate.ts';
import { callAt } from './call-at.ts';
import { createFilterReport } from './filter-events.ts';
import type { Shedding } from './overload.ts';

/** What the checks and the gate get from elsewhere; the rest follows from the configuration. */
export interface GateParts
  extends Omit<FilterDeps, 'options' | 'sessions' | 'disclosures' | 'report' | 'overload'>,
    Pick<GateDependencies, 'recorder' | 'open' | 'identify' | 'upstream' | 'policy'> {
  readonly shedding: Shedding;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Puts the checks into their order and the gate before them. */
export function composeGate(config: Config, parts: GateParts): ReturnType<typeof createGate> {
  const { keys, now, monotonic, log, metrics, shedding } = parts;
  const { recorder, open, identify, upstream, policy } = parts;
  const sessions = createSessionSealer({ keys, maxAge: config.session.maxAge });
  const filters = createFilters({
    ...parts,
    options: {
      revisions: config.revisions,
      session: config.session,
      definitions: config.definitions,
      signatures: config.signatures,
      ...config.limits,
    },
    sessions,
    overload: shedding.filter(metrics),
    disclosures: new Map(config.upstreams.map(({ name, disclosure }) => [name, disclosure])),
    report: createFilterReport({ metrics, log, monotonic }),
  });
  const apiKeyHeader =
    config.identity.find((entry) => entry.apiKeys !== undefined)?.apiKeys?.header ?? 'x-api-key';
  return createGate({
    filters,
    recorder,
    open,
    identify,
    upstream,
    policy,
    monotonic,
    now,
    upstreamDecodeLimits: config.limits.result,
    clientDecodeLimits: config.limits.request,
    at: callAt,
    load: shedding.load({ metrics, recorder, now, policy, apiKeyHeader }),
    newId: createIdSource(),
    apiKeyHeader,
    openSession: (sealed, principal, name, time) => sessions.openSession(sealed, principal.id, name, time),
    onFault: (cause, exchange) => log.error('a part of the gateway failed', { exchange, cause }),
  });
}
