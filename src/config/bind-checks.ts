import { isIPv4 } from 'node:net';
import type { DocumentPath } from '../document/problems.ts';
import { parseBind } from '../listener/options.ts';
import type { Finding } from './checks.ts';
import type { GatewayFile } from './schema.ts';

type Binds = {
  readonly listeners: readonly Pick<GatewayFile['listeners'][number], 'bind'>[];
  readonly admin: Pick<GatewayFile['admin'], 'bind'>;
};

/** Addresses of which the kernel would give only the first one away. */
export function binds(config: Binds): readonly Finding[] {
  const seen: string[] = [];
  const findings: Finding[] = [];
  const look = (bind: string, at: DocumentPath): void => {
    if (seen.includes(bind) && !isAnyPort(bind)) {
      findings.push({ at, message: 'another listener is bound to this address' });
    } else {
      const other = seen.find((one) => overlap(one, bind));
      if (other !== undefined) {
        findings.push({ at, message: `another listener is bound to ${other}, which takes this address too` });
      }
    }
    seen.push(bind);
  };
  for (const [index, { bind }] of config.listeners.entries()) look(bind, ['listeners', index, 'bind']);
  look(config.admin.bind, ['admin', 'bind']);
  return findings;
}

/** Whether one of them means every address, the other one's among them. A name may mean any. */
function overlap(one: string, other: string): boolean {
  const [first, second] = [parseBind(one), parseBind(other)];
  if (first === undefined || second === undefined || first.port !== second.port || first.port === 0)
    return false;
  const hosts = [canonical(first.host), canonical(second.host)];
  // What listens to all of IPv6 listens to all of IPv4 as well.
  if (hosts[0] === hosts[1] || hosts.includes('::')) return true;
  return hosts.includes('0.0.0.0') && hosts.every((host) => isIPv4(host));
}

/** Port 0 takes any free port, as often as one likes. */
function isAnyPort(bind: string): boolean {
  return parseBind(bind)?.port === 0;
}

/** One spelling of an IPv6 address. */
function canonical(host: string): string {
  return host.includes(':') ? new URL(`http://[${host}]/`).hostname.slice(1, -1) : host.toLowerCase();
}
