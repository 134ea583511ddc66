import { dialProblem } from '../dialer/options.ts';
import type { Finding } from './checks.ts';
import type { GatewayFile } from './schema.ts';

/** URLs of issuers that the dialer would refuse each time. */
export function outboundChecks(config: GatewayFile): readonly Finding[] {
  return [...config.identity.entries()].flatMap(([index, { token }]) => {
    if (token === undefined) return [];
    const urls: readonly (readonly [readonly string[], string | undefined])[] = [
      [['jwks'], token.jwks],
      [['issuer'], token.discovery === true ? token.issuer : undefined],
      [['introspection', 'endpoint'], token.introspection?.endpoint],
    ];
    return urls.flatMap(([path, url]) => {
      const problem = url === undefined ? undefined : dialProblem(url, config.outbound.private);
      return problem === undefined
        ? []
        : [{ at: ['identity', index, 'token', ...path], message: `${url} ${problem}` }];
    });
  });
}
