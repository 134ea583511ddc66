import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import type { DialPurpose } from '../dialer/contract.ts';
import type { DialOutcome } from '../dialer/create-dialer.ts';
import type { StoreEvent } from '../limits/contract.ts';
import type { BoundName } from '../pipeline/bounds.ts';
import type { Outcome } from '../pipeline/outcome.ts';
import { expose } from './expose-metric.ts';
import type { MetricsSnapshot } from './merge-metrics.ts';
import { definitions, durationBuckets } from './metric-definitions.ts';
import { type Cell, Distribution, Family, type MetricDefinition, other } from './metric-family.ts';
import { boundedNames, type NameBounds } from './metric-names.ts';
import type { Redactor } from './redact.ts';
import { exposeStanding, type StandingNumbers } from './standing-metrics.ts';

export interface MetricsDependencies extends StandingNumbers {
  /** Names from configuration. */
  readonly upstreams: readonly string[];
  readonly version: string;
  /** Keeps secrets out of labels: a server may have put one into the name of a tool. */
  readonly redactor?: Pick<Redactor, 'text'>;
  /** Which names may become labels. Default: those that policy, the method table or the upstream's lists know. */
  readonly names?: NameBounds;
  /** False leaves out process metrics, for tests. */
  readonly process?: boolean;
}

export interface Metrics {
  record(outcome: Outcome): void;
  /** What the limits tell beside outcomes. `limit` is a name from policy. */
  limitEvent(event: {
    readonly kind: 'limit-store-full' | 'shadow-limit';
    readonly limit: string;
    readonly upstream: string;
  }): void;
  /** A bound was reached that no error code tells by itself. */
  boundReached(event: { readonly bound: BoundName; readonly upstream: string }): void;
  /** A connection or request was turned away before anything of it was looked at. `kind` is one of few words. */
  floodRefused(kind: string): void;
  /** What whoever counts for the limits tells. */
  limitStoreEvent(event: StoreEvent): void;
  /** A definition that is not the approved one was noticed. `standing` is one of few words. */
  pinEvent(event: { readonly upstream: string; readonly standing: string }): void;
  /** A DPoP proof was refused because no further one can be remembered. */
  replayMemoryFull(upstream: string): void;
  /** The gateway asked an issuer for something. Both are words of closed sets. */
  dialled(event: { readonly purpose: DialPurpose; readonly outcome: DialOutcome }): void;
  /** A request was refused because there is more to do than can be done. `what` is one of few words. */
  shed(what: string, upstream: string): void;
  /** A reload went with one that waited already. */
  reloadJoined(): void;
  /** @param time milliseconds since the epoch */
  reloaded(result: 'success' | 'failure', time: number): void;
  /** The text of a scrape. */
  scrape(): Promise<string>;
  /** The same, for a process that adds the numbers of several. */
  snapshot(): Promise<MetricsSnapshot>;
  readonly contentType: string;
}

const storeWords = { full: 'full', 'store-lost': 'lost', 'store-back': 'back' } as const;

const noCell = (): Cell => ({ value: 0 });
const newDistribution = (): Distribution => new Distribution(durationBuckets);

/**
 * Counts outcomes. Each costs a few map look-ups and additions; text is made when somebody scrapes.
 */
export function createMetrics(deps: MetricsDependencies): Metrics {
  const names = deps.names ?? boundedNames;
  const upstreams: ReadonlySet<string> = new Set(deps.upstreams);
  const registry = new Registry();
  const families: Family<unknown>[] = [];
  const numbers = (definition: MetricDefinition): Family<Cell> => {
    const family = new Family(definition, noCell);
    families.push(family);
    expose(registry, definition, () =>
      family.entries.map(({ labels, cell }) => ({ labels, value: cell.value })),
    );
    return family;
  };
  const distributions = (definition: MetricDefinition): Family<Distribution> => {
    const family = new Family(definition, newDistribution, 500);
    families.push(family);
    expose(registry, definition, () =>
      family.entries.flatMap(({ labels, cell }) => cell.samples(definition.name, labels)),
    );
    return family;
  };
  const single = (definition: MetricDefinition, value: () => number) =>
    expose(registry, definition, () => [{ labels: {}, value: value() }]);

  const exchanges = numbers(definitions.exchanges);
  const calls = numbers(definitions.calls);
  const refusals = numbers(definitions.refusals);
  const floods = numbers(definitions.floods);
  const denials = numbers(definitions.denials);
  const shadow = numbers(definitions.shadow);
  const wouldDeny = numbers(definitions.wouldDeny);
  const limited = numbers(definitions.limited);
  const shadowLimited = numbers(definitions.shadowLimited);
  const limitStoreFull = numbers(definitions.limitStoreFull);
  const limitStore = numbers(definitions.limitStore);
  const findings = numbers(definitions.findings);
  const pinEvents = numbers(definitions.pinEvents);
  const bounds = numbers(definitions.bounds);
  const replayMemoryFull = numbers(definitions.replayMemoryFull);
  const dropped = numbers(definitions.dropped);
  const questions = numbers(definitions.questions);
  const requestBytes = numbers(definitions.requestBytes);
  const replyBytes = numbers(definitions.replyBytes);
  const duration = distributions(definitions.duration);
  const upstreamDuration = distributions(definitions.upstreamDuration);
  const streams = numbers(definitions.streams);
  const reloads = numbers(definitions.reloads);
  let joinedReloads = 0;
  single(definitions.reloadsJoined, () => joinedReloads);
  const shed = numbers(definitions.shed);
  const outbound = numbers(definitions.outbound);
  // Alerts on a rate need the zero before the first increment.
  for (const result of ['success', 'failure']) reloads.cell(result);
  for (const upstream of upstreams) streams.cell(upstream);

  exposeStanding(registry, deps);
  let reloadedAt = 0;
  single(definitions.reloadedAt, () => reloadedAt / 1000);
  expose(registry, definitions.build, () => [{ labels: { version: deps.version }, value: 1 }]);
  expose(registry, definitions.overflows, () =>
    families
      .filter((family) => family.overflows > 0)
      .map((family) => ({ labels: { metric: family.definition.name }, value: family.overflows })),
  );
  if (deps.process !== false) collectDefaultMetrics({ register: registry });

  function record(outcome: Outcome): void {
    const upstream =
      outcome.upstream !== undefined && upstreams.has(outcome.upstream) ? outcome.upstream : other;
    const code = names.code(outcome.code);
    const { exchange } = outcome;
    if (outcome.event === 'question') {
      questions.cell(upstream, names.question(outcome), code).value += 1;
      return;
    }
    if (exchange === undefined) {
      refusals.cell(upstream, code).value += outcome.times ?? 1;
      return;
    }
    if (outcome.event === 'stream-opened') {
      streams.cell(upstream).value += 1;
      return;
    }
    const method = names.method(exchange);
    exchanges.cell(upstream, method, code).value += 1;
    requestBytes.cell(upstream).value += outcome.requestBytes;
    replyBytes.cell(upstream).value += outcome.replyBytes;
    if (outcome.event === 'stream-ended') {
      const open = streams.cell(upstream);
      open.value = Math.max(0, open.value - 1);
    } else {
      duration.cell(upstream, method).observe(outcome.durationMs / 1000);
      if (outcome.upstreamMs !== undefined)
        upstreamDuration.cell(upstream).observe(outcome.upstreamMs / 1000);
    }
    recordFacts(exchange, upstream, code);
  }

  function shown(name: string): string {
    return deps.redactor === undefined || deps.redactor.text(name) === name ? name : other;
  }

  function recordFacts(exchange: NonNullable<Outcome['exchange']>, upstream: string, code: string): void {
    const { target, decision } = exchange.facts;
    if (target !== undefined && (target.kind === 'tool' || target.kind === 'prompt')) {
      const known =
        calls.peek(upstream, target.kind, target.name, code) ??
        calls.cell(upstream, target.kind, shown(names.target(exchange, target.kind, target.name)), code);
      known.value += 1;
    }
    if (decision !== undefined) {
      if (decision.effect === 'deny')
        denials.cell(upstream, names.reason(decision.reasons[0].code)).value += 1;
      if (decision.shadow !== undefined) {
        const { effect, reason } = decision.shadow;
        shadow.cell(upstream, effect, names.reason(reason.code)).value += 1;
        if (effect === 'deny') wouldDeny.cell(upstream, reason.rule ?? other).value += 1;
      }
    }
    if (exchange.facts.limitedBy !== undefined) {
      limited.cell(upstream, names.limit(exchange, exchange.facts.limitedBy)).value += 1;
    }
    for (const { check, effect, count, rule } of exchange.facts.findings) {
      findings.cell(check, effect, upstream).value += count ?? 1;
      // Ids of rules are the policy's own words: there are as many as it has rules.
      if (effect === 'would-refuse') wouldDeny.cell(upstream, rule ?? other).value += 1;
    }
    if (exchange.facts.moreFindings > 0) {
      findings.cell(other, other, upstream).value += exchange.facts.moreFindings;
    }
    for (const [word, times] of exchange.facts.dropped) {
      dropped.cell(upstream, names.drop(word)).value += times;
    }
  }

  return {
    record,
    limitEvent({ kind, limit, upstream }) {
      const family = kind === 'shadow-limit' ? shadowLimited : limitStoreFull;
      const at = upstreams.has(upstream) ? upstream : other;
      family.cell(at, limit).value += 1;
      if (kind === 'shadow-limit') wouldDeny.cell(at, `limits.${limit}`).value += 1;
    },
    boundReached({ upstream, bound }) {
      bounds.cell(upstreams.has(upstream) ? upstream : other, bound).value += 1;
    },
    floodRefused(kind) {
      floods.cell(kind).value += 1;
    },
    limitStoreEvent(event) {
      const word = event.kind === 'decided-without-store' ? event.by : storeWords[event.kind];
      limitStore.cell(word, 'limit' in event ? event.limit : other).value += 1;
    },
    pinEvent({ upstream, standing }) {
      pinEvents.cell(upstreams.has(upstream) ? upstream : other, standing).value += 1;
    },
    replayMemoryFull(upstream) {
      replayMemoryFull.cell(upstreams.has(upstream) ? upstream : other).value += 1;
    },
    dialled({ purpose, outcome }) {
      outbound.cell(purpose, outcome).value += 1;
    },
    shed(what, upstream) {
      shed.cell(upstreams.has(upstream) ? upstream : other, what).value += 1;
    },
    reloadJoined() {
      joinedReloads += 1;
    },
    reloaded(result, time) {
      reloads.cell(result).value += 1;
      if (result === 'success') reloadedAt = time;
    },
    scrape: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  };
}
