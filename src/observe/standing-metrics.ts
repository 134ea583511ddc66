import type { Registry } from '@prometheus-io/client';
import type { AuditFileStats } from './audit-file.ts';
import { expose } from './expose-metric.ts';
import { definitions } from './metric-definitions.ts';
import type { MetricDefinition, MetricSample } from './metric-family.ts';

/** How much there is to do. */
export interface Pressure {
  /** From 0 to 4. */
  readonly level: number;
  /** How late the event loop is. */
  readonly delayMs: number;
  /** How long the first in line has waited. */
  readonly waitMs: number;
  /** Requests in line. */
  readonly waiting: number;
  /** Requests under way. */
  readonly underWay: number;
}

/** Numbers that others keep, and that are asked for at each scrape. */
export interface StandingNumbers {
  readonly audit?: { accepting(): boolean; readonly stats: AuditFileStats };
  /** Certificates in use: place in the configuration (`listeners[0].tls.certificate`) and end in milliseconds since the epoch. Asked at each scrape. */
  readonly certificates?: () => Iterable<{ readonly role: string; readonly expiresAt: number }>;
  /** Revocation lists, by where the configuration names them. */
  readonly lists?: () => Iterable<{ readonly role: string; readonly expiresAt: number }>;
  /** Entries of the deny list, by kind. Asked at each scrape. */
  readonly revocations?: () => Readonly<Record<string, number>>;
  /** Blocked addresses: now, ever, and forgotten before their time. Asked at each scrape. */
  readonly blocks?: () => { readonly now: number; readonly ever: number; readonly forgotten: number };
  /** Keys of limits that are remembered. Asked at each scrape. */
  readonly limitKeys?: () => number;
  /** Exchanges under way. Asked at each scrape. */
  readonly activeExchanges?: () => number;
  /** What the shedder measures. Asked at each scrape. */
  readonly overload?: Pressure;
  /** Numbers that are kept elsewhere. Asked at each scrape. */
  readonly further?: readonly FurtherMetric[];
}

export interface FurtherMetric {
  readonly definition: MetricDefinition;
  samples(): readonly MetricSample[];
}

/** Shows each of these numbers that is there. */
export function exposeStanding(registry: Registry, deps: StandingNumbers): void {
  const single = (definition: MetricDefinition, value: () => number) =>
    expose(registry, definition, () => [{ labels: {}, value: value() }]);
  const { audit } = deps;
  if (audit !== undefined) {
    single(definitions.auditWritten, () => audit.stats.written);
    single(definitions.auditFailures, () => audit.stats.failures);
    single(definitions.auditLost, () => audit.stats.lost);
    single(definitions.auditTorn, () => audit.stats.torn);
    single(definitions.auditPending, () => audit.stats.pendingRecords);
    single(definitions.auditPendingBytes, () => audit.stats.pendingBytes);
    single(definitions.auditAccepting, () => (audit.accepting() ? 1 : 0));
  }
  const { activeExchanges, blocks, certificates, lists, revocations } = deps;
  if (revocations !== undefined) {
    expose(registry, definitions.revocations, () =>
      Object.entries(revocations()).map(([kind, value]) => ({ labels: { kind }, value })),
    );
  }
  if (blocks !== undefined) {
    single(definitions.blockedAddresses, () => blocks().now);
    single(definitions.blocks, () => blocks().ever);
    single(definitions.blocksForgotten, () => blocks().forgotten);
  }
  const { overload } = deps;
  if (overload !== undefined) {
    single(definitions.overloadLevel, () => overload.level);
    single(definitions.overloadDelay, () => overload.delayMs / 1000);
    single(definitions.overloadWait, () => overload.waitMs / 1000);
    single(definitions.overloadLine, () => overload.waiting);
    single(definitions.underWay, () => overload.underWay);
  }
  for (const { definition, samples } of deps.further ?? []) expose(registry, definition, samples);
  if (deps.limitKeys !== undefined) single(definitions.limitKeys, deps.limitKeys);
  if (activeExchanges !== undefined) single(definitions.active, activeExchanges);
  if (certificates !== undefined) {
    expose(registry, definitions.certificateExpiry, () =>
      [...certificates()].map(({ role, expiresAt }) => ({
        labels: { certificate: role },
        value: expiresAt / 1000,
      })),
    );
  }
  if (lists !== undefined) {
    expose(registry, definitions.crlNextUpdate, () =>
      [...lists()].map(({ role, expiresAt }) => ({ labels: { list: role }, value: expiresAt / 1000 })),
    );
  }
}
