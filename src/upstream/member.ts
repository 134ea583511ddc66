import { type Breaker, createBreaker, type Permit } from './breaker.ts';
import type { Endpoint } from './endpoint.ts';
import type { Evidence } from './evidence.ts';
import type { HttpUpstreamOptions } from './options.ts';
import { createOutlier } from './outlier.ts';

/** How an endpoint stands, in a word for logs. */
export type MemberChange =
  | 'ejected'
  | 'unhealthy'
  | 'healthy'
  | 'breaker-open'
  | 'breaker-closed'
  | 'address-refused'
  | 'address-good';

/** One endpoint and what is thought of it. */
export interface Member {
  readonly endpoint: Endpoint;
  readonly breaker: Pick<Breaker, 'admit' | 'state' | 'remaining'>;
  /** Those who may choose go elsewhere while this is so. */
  isAvoided(): boolean;
  record(permit: Permit, evidence: Evidence): void;
  /** What the gateway's own check of it came to. */
  checked(ok: boolean): void;
  readonly counts: MemberCounts;
}

export interface MemberCounts {
  ejections: number;
  /** Calls that the breaker refused. */
  refusals: number;
  checksOk: number;
  checksFailed: number;
}

export function createMember(
  endpoint: Endpoint,
  options: Pick<HttpUpstreamOptions, 'breaker' | 'ejection'> & {
    readonly health: HealthThresholds | undefined;
  },
  monotonic: () => number,
  report: (change: MemberChange, detail?: string) => void,
): Member {
  const { health } = options;
  const counts: MemberCounts = { ejections: 0, refusals: 0, checksOk: 0, checksFailed: 0 };
  const outlier = createOutlier(options.ejection, monotonic);
  const breaker = createBreaker(options.breaker, monotonic, (state) => report(`breaker-${state}`));
  let isHealthy = true;
  /** Checks in a row that say otherwise. */
  let against = 0;

  return {
    endpoint,
    counts,
    breaker: {
      admit(caller) {
        const permit = breaker.admit(caller);
        if (permit === undefined) counts.refusals += 1;
        return permit;
      },
      state: breaker.state,
      remaining: breaker.remaining,
    },
    isAvoided: () => !isHealthy || outlier.isEjected(),
    record(permit, evidence) {
      breaker.settle(permit, evidence);
      if (!outlier.record(evidence)) return;
      counts.ejections += 1;
      report('ejected', `for ${Math.ceil(outlier.remaining() / 1000)}s`);
    },
    checked(ok) {
      if (ok) counts.checksOk += 1;
      else counts.checksFailed += 1;
      breaker.checked(ok);
      against = ok === isHealthy ? 0 : against + 1;
      if (health === undefined || against < (ok ? health.healthy : health.unhealthy)) return;
      isHealthy = ok;
      against = 0;
      // It was gone and has come back: what its calls met while it was gone says nothing any more.
      if (ok) outlier.readmit();
      report(ok ? 'healthy' : 'unhealthy');
    },
  };
}

export interface HealthThresholds {
  readonly healthy: number;
  readonly unhealthy: number;
}
