import type { TokenOptions } from './options.ts';
import type { ResourceOptions } from './resource-options.ts';
import { countsAt } from './token-audience.ts';

/** Where a resource's metadata stands (RFC 9728, section 3): between host and path of the resource. */
export const resourceMetadataPrefix = '/.well-known/oauth-protected-resource';

/** One route as OAuth clients see it. Made of configuration alone: no header of a request has a say in it. */
export interface ProtectedResource {
  /** Absolute URL of its metadata, at the public origin. */
  readonly metadataUrl: string;
  /** Path of that URL. */
  readonly metadataPath: string;
  /** Scopes for a caller whom nobody knows yet, where policy does not say more exactly what it needs. */
  readonly scopes: readonly string[];
  /** DPoP proofs that are accepted; undefined where none are. */
  readonly dpop: DpopSupport | undefined;
  /** Members of the metadata (RFC 9728, section 2). */
  readonly metadata: Readonly<Record<string, string | boolean | readonly string[]>>;
}

export interface DpopSupport {
  /** Signature algorithms of proofs, each once. */
  readonly algorithms: readonly string[];
  /** Whether no other token is accepted: then `Bearer` is no scheme of this resource. */
  readonly required: boolean;
}

/**
 * What a route tells clients that know nothing yet.
 *
 * @param tokens every `token` entry of `identity`
 * @param asksCertificates whether clients can show a certificate, and so use a token that is bound to one (RFC 8705)
 */
export function describeResource(
  options: ResourceOptions,
  tokens: readonly TokenOptions[],
  asksCertificates: boolean,
): ProtectedResource {
  const { origin, pathname } = new URL(options.resource);
  const metadataPath = `${resourceMetadataPrefix}${pathname === '/' ? '' : pathname}`;
  const counting = tokens.filter(({ issuer }) => countsAt(options, issuer));
  const dpop = dpopOf(counting);
  return {
    metadataUrl: `${origin}${metadataPath}`,
    metadataPath,
    scopes: options.scopes,
    dpop,
    metadata: {
      resource: options.resource,
      authorization_servers: options.servers ?? counting.map(({ issuer }) => issuer),
      ...(options.scopes.length === 0 ? {} : { scopes_supported: options.scopes }),
      bearer_methods_supported: ['header'],
      ...(options.name === undefined ? {} : { resource_name: options.name }),
      ...(options.documentation === undefined ? {} : { resource_documentation: options.documentation }),
      ...(asksCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
      ...(dpop === undefined ? {} : { dpop_signing_alg_values_supported: dpop.algorithms }),
      ...(dpop?.required === true ? { dpop_bound_access_tokens_required: true } : {}),
    },
  };
}

function dpopOf(tokens: readonly TokenOptions[]): DpopSupport | undefined {
  const accepting = tokens.flatMap(({ dpop }) => (dpop === undefined ? [] : [dpop]));
  if (accepting.length === 0) return undefined;
  return {
    algorithms: [...new Set(accepting.flatMap(({ algorithms }) => algorithms))],
    required: tokens.every(({ requireBinding }) => requireBinding?.every((kind) => kind === 'dpop') === true),
  };
}
