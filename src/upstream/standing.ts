import type { BreakerState } from './breaker.ts';
import { isPanic } from './choose.ts';
import type { Member, MemberChange, MemberCounts } from './member.ts';

/** Something changed about an endpoint, or about all of an upstream's endpoints; once for each change. */
export interface UpstreamChange {
  readonly upstream: string;
  /** Host, port and path; the name for addresses. */
  readonly endpoint: string;
  readonly change: MemberChange;
  /** For operators. */
  readonly detail: string | undefined;
}

/** How an upstream stands now, for metrics. */
export interface UpstreamStanding {
  readonly upstream: string;
  readonly endpoints: readonly EndpointStanding[];
  /** So few endpoints do well that all are used. */
  readonly panic: boolean;
  readonly counts: Readonly<UpstreamCounts>;
}

export interface EndpointStanding {
  /** Host, port and path; with a number where two endpoints differ in nothing of it. */
  readonly endpoint: string;
  /** Calls that may choose go there. */
  readonly used: boolean;
  readonly breaker: BreakerState;
  /** Calls and streams under way. */
  readonly active: number;
  readonly counts: Readonly<MemberCounts>;
}

export interface UpstreamCounts {
  /** Second tries, by why. */
  connect: number;
  reread: number;
  /** Second tries that the budget did not pay for. */
  unpaid: number;
  /** Times that a name had addresses which are refused. */
  addressesRefused: number;
}

export function standingOf(
  upstream: string,
  members: readonly Member[],
  panic: number,
  counts: Readonly<UpstreamCounts>,
): UpstreamStanding {
  const isPanicking = members.length > 1 && isPanic(members, panic);
  const labels = members.map(({ endpoint }) => endpoint.label);
  return {
    upstream,
    panic: isPanicking,
    counts,
    endpoints: members.map((member, index) => {
      const { endpoint, breaker } = member;
      const isRepeated = labels.indexOf(endpoint.label) !== labels.lastIndexOf(endpoint.label);
      return {
        endpoint: isRepeated ? `${endpoint.label}#${index}` : endpoint.label,
        used: breaker.state() !== 'open' && (members.length === 1 || isPanicking || !member.isAvoided()),
        breaker: breaker.state(),
        active: endpoint.calls.busy + endpoint.streams.busy,
        counts: member.counts,
      };
    }),
  };
}
