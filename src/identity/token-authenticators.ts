import { randomBytes } from 'node:crypto';
import type { Authenticator } from './authenticator.ts';
import { createDiscovery } from './discovery.ts';
import { createIntrospector } from './introspection.ts';
import { needDial } from './key-source.ts';
import type { IdentityOptions, TokenOptions } from './options.ts';
import { createTokenAuthenticator, type TokenDependencies } from './token.ts';

/**
 * Prepares what the token entries share: whether one of them takes opaque tokens, the routes' resources, and the key
 * of nonces. What comes back makes the authenticator of one entry.
 */
export function createTokenAuthenticators(
  options: Pick<IdentityOptions, 'authenticators' | 'resources'>,
  dependencies: Pick<TokenDependencies, 'readFile' | 'dial' | 'nonceKeys' | 'metrics' | 'state'>,
): (entry: TokenOptions) => Authenticator {
  const { readFile, dial, nonceKeys = [randomBytes(32)] } = dependencies;
  const { authenticators, resources } = options;
  const takers = authenticators.filter(({ token }) => token?.introspection !== undefined);
  return (entry) => {
    const { issuer, clockSkew } = entry;
    const discovery = entry.discovery ? createDiscovery(entry, needDial(dial)) : undefined;
    const introspector =
      entry.introspection === undefined
        ? undefined
        : createIntrospector({ ...entry.introspection, issuer, clockSkew }, needDial(dial), {
            discovery,
            readFile,
          });
    return createTokenAuthenticator(entry, {
      ...dependencies,
      discovery,
      introspector,
      nonceKeys,
      ...(resources === undefined ? {} : { resources }),
      opaqueElsewhere: takers.length > 0 && introspector === undefined,
    });
  };
}
