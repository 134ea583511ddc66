import type { Finding } from './checks.ts';
import type { GatewayFile } from './schema.ts';

/** What token entries and routes ask of one another. */
export function tokenChecks(config: GatewayFile): readonly Finding[] {
  return [...audiences(config), ...opaqueTokens(config), ...bindings(config)];
}

/** A route without a resource asks what a token of this issuer must be meant for: then the entry has to say. */
function audiences(config: GatewayFile): readonly Finding[] {
  const bare = config.upstreams.find(({ authorization }) => authorization === undefined);
  if (bare === undefined) return [];
  return [...config.identity.entries()]
    .filter(([, { token }]) => token !== undefined && token.audience === undefined)
    .map(([index]) => ({
      at: ['identity', index, 'token'],
      message: `needs an audience, because the upstream "${bare.name}" has no authorization.resource`,
    }));
}

/** Bindings that could never be proven: every token would be refused, and nobody could tell why. */
function bindings(config: GatewayFile): readonly Finding[] {
  const resources = config.upstreams.some(({ authorization }) => authorization !== undefined);
  const certificates = config.listeners.some(
    ({ tls }) => tls?.clients !== undefined && tls.clients.mode !== 'none',
  );
  return [...config.identity.entries()].flatMap(([index, { token }]) => {
    const findings: Finding[] = [];
    if (token?.dpop !== undefined && !resources) {
      findings.push({
        at: ['identity', index, 'token', 'dpop'],
        message: 'no upstream has authorization.resource, the public URL that a proof must name',
      });
    }
    if (token?.requireBinding?.every((kind) => kind === 'certificate') === true && !certificates) {
      findings.push({
        at: ['identity', index, 'token', 'requireBinding'],
        message: 'no listener asks for client certificates: set tls.clients on one of them',
      });
    }
    return findings;
  });
}

/** A token that is no JWT does not say whose it is: two who could be asked would each see the other's tokens. */
function opaqueTokens(config: GatewayFile): readonly Finding[] {
  const askers = config.identity.flatMap(({ token }) =>
    token?.introspection === undefined ? [] : [token.issuer],
  );
  if (askers.length < 2) return [];
  return config.upstreams.flatMap(({ name, authorization }, index) => {
    const here = askers.filter((issuer) => authorization?.servers?.includes(issuer) ?? true);
    if (here.length < 2) return [];
    const at = authorization === undefined ? ['upstreams', index] : ['upstreams', index, 'authorization'];
    return [
      {
        at,
        message:
          `${here.join(' and ')} both have introspection, so nobody can say whom to ask about an opaque token at ` +
          `"${name}": name one of them in authorization.servers`,
      },
    ];
  });
}
