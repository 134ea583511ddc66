import { GatewayError } from '../errors.ts';
import type { DecodeLimits } from '../mcp/decode.ts';
import type { Era } from '../mcp/revision.ts';
import type { BoundName } from './bounds.ts';
import type { Catalog } from './catalog.ts';
import type { LookBounds } from './list-bounds.ts';
import { lookLegacy, lookModern } from './look-at-list.ts';
import type { UpstreamPort } from './upstream-port.ts';

export interface RefreshDependencies {
  upstream(name: string): { readonly port: UpstreamPort; readonly catalog: Catalog } | undefined;
  readonly decodeLimits: DecodeLimits;
  /** Default: `defaultLookBounds`. */
  readonly bounds?: LookBounds;
  /** A look reached a bound. */
  onBound?(bound: BoundName, upstream: string): void;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

/**
 * `learnt`: the catalog holds the whole list as the upstream gave it at its last look; `unreachable`: nothing could be
 * asked; `failed`: it was asked, and
 * gave no list that has an end.
 */
export type RefreshOutcome = 'learnt' | 'failed' | 'unreachable';

/** 10 s between two looks at one upstream: a caller who invents tool names must not make the gateway ask for each. */
const coolDownMs = 10_000;

/** 1 s where nobody was there: an upstream that has just come up should not be taken for down much longer. */
const unreachableCoolDownMs = 1000;

/** 1 s where the upstream says that its list changed: it asks for the look itself, and until then old news hold. */
const staleCoolDownMs = 1000;

/** 10 s for all pages: a caller waits for them. */
const timeoutMs = 10_000;

interface Look {
  readonly at: number;
  readonly outcome: RefreshOutcome;
}

/**
 * Lets the gateway ask an upstream for its tool list itself, with its own credential and in the era that the upstream
 * speaks: so that headers which mirror arguments, and arguments, can be checked before any client has listed.
 *
 * The returned function never rejects, runs once at a time for each upstream, and at most once in a cool-down; in
 * between it gives back what the last look came to.
 */
export function createCatalogRefresher(
  deps: RefreshDependencies,
): (upstream: string) => Promise<RefreshOutcome> {
  const running = new Map<string, Promise<RefreshOutcome>>();
  const last = new Map<string, Look>();
  const eras = new Map<string, Era>();

  async function look(name: string, port: UpstreamPort, catalog: Catalog): Promise<RefreshOutcome> {
    const signal = AbortSignal.timeout(timeoutMs);
    const wasStale = catalog.freshness.stale;
    // Now, not at the end: what the upstream says of changes while it is being read must count.
    catalog.freshness.stale = false;
    const order: readonly Era[] = eras.get(name) === 'legacy' ? ['legacy', 'modern'] : ['modern', 'legacy'];
    let outcome: RefreshOutcome = 'failed';
    for (const era of order) {
      const read = era === 'modern' ? lookModern : lookLegacy;
      const reading = await read({
        port,
        catalog,
        limits: deps.decodeLimits,
        signal,
        bounds: deps.bounds,
        report: (bound) => deps.onBound?.(bound, name),
      }).catch(failureOf);
      if (reading === 'whole') {
        eras.set(name, era);
        catalog.freshness.readAt = deps.monotonic();
        return 'learnt';
      }
      if (reading === 'unreachable') outcome = reading;
      // A list without end has none in the other era either.
      if (reading !== 'none') break;
    }
    catalog.freshness.stale ||= wasStale;
    return outcome;
  }

  return (name) => {
    const already = running.get(name);
    if (already !== undefined) return already;
    const target = deps.upstream(name);
    if (target === undefined) return Promise.resolve('failed');
    const before = last.get(name);
    if (before !== undefined) {
      if (deps.monotonic() - before.at < restAfter(before.outcome, target.catalog.freshness.stale))
        return Promise.resolve(before.outcome);
    }
    const run = look(name, target.port, target.catalog)
      .then((outcome) => {
        // From its end: a list that hangs until it is given up must not make every call wait for the next look.
        last.set(name, { at: deps.monotonic(), outcome });
        return outcome;
      })
      .finally(() => running.delete(name));
    running.set(name, run);
    return run;
  };
}

function restAfter(outcome: RefreshOutcome, isStale: boolean): number {
  if (outcome === 'unreachable') return unreachableCoolDownMs;
  return outcome === 'learnt' && isStale ? staleCoolDownMs : coolDownMs;
}

/** An upstream that cannot be asked leaves the catalog as it was; what stays unknown is refused. */
function failureOf(cause: unknown): 'unreachable' | 'none' {
  return cause instanceof GatewayError && notAsked.has(cause.code) ? 'unreachable' : 'none';
}

const notAsked: ReadonlySet<string> = new Set(['upstream-unreachable', 'credential-unavailable']);
