import type { Log } from '../observe/log.ts';
import type { MemberChange } from '../upstream/member.ts';
import type { UpstreamChange } from '../upstream/standing.ts';

const sentences: Readonly<Record<MemberChange, string>> = {
  ejected: 'an endpoint is avoided for a while: too many calls to it fail',
  unhealthy: 'an endpoint is avoided: it does not answer its checks',
  healthy: 'an endpoint answers its checks again',
  'breaker-open': 'an endpoint gets no more calls for now: it does not answer',
  'breaker-closed': 'an endpoint answers again',
  'address-refused': 'a name has addresses that are not dialled',
  'address-good': 'a name has good addresses again',
};

const good: ReadonlySet<MemberChange> = new Set(['healthy', 'breaker-closed', 'address-good']);

/** Logs what changes about endpoints: once for each change, not for each call. */
export function logUpstreamChange(
  { upstream, endpoint, change, detail }: UpstreamChange,
  log: Pick<Log, 'warn' | 'info'>,
): void {
  log[good.has(change) ? 'info' : 'warn'](sentences[change], { upstream, endpoint, detail });
}
