import type { Config } from '../config/schema.ts';
import type { ResourceOptions } from '../identity/options.ts';
import {
  describeResource,
  type ProtectedResource,
  resourceMetadataPrefix,
} from '../identity/protected-resource.ts';
import type { Documents, PublicDocument } from '../listener/documents.ts';

/** `authorization` of the upstreams that have one, by name. */
export function resourceOptionsOf(config: Pick<Config, 'upstreams'>): ReadonlyMap<string, ResourceOptions> {
  return new Map(
    config.upstreams.flatMap(({ name, authorization }) =>
      authorization === undefined ? [] : [[name, authorization]],
    ),
  );
}

/** How clients see these routes, by the name of the upstream. */
export function describeResources(
  config: Pick<Config, 'identity' | 'listeners' | 'upstreams'>,
): ReadonlyMap<string, ProtectedResource> {
  const tokens = config.identity.flatMap(({ token }) => (token === undefined ? [] : [token]));
  const asksCertificates = config.listeners.some(
    ({ tls }) => tls?.clients !== undefined && tls.clients.mode !== 'none',
  );
  return new Map(
    [...resourceOptionsOf(config)].map(([name, options]) => [
      name,
      describeResource(options, tokens, asksCertificates),
    ]),
  );
}

/**
 * Five minutes: a client that met an old one asks the old authorization server, which a longer time would make an
 * outage; and a client asks once for many calls, so that a longer time saves little.
 */
const maxAge = 300;

/**
 * Metadata of each resource at the path that is made of its own (RFC 9728, section 3.1), and at the root where there is
 * one resource only. With several of them the root could be no more than a guess.
 */
export function resourceDocuments(resources: Iterable<ProtectedResource>): Documents {
  const documents = new Map<string, PublicDocument>();
  for (const { metadata, metadataPath } of resources) {
    const body = Buffer.from(JSON.stringify(metadata));
    documents.set(metadataPath, { contentType: 'application/json', body, maxAge });
  }
  const [only, ...others] = documents.values();
  if (only !== undefined && others.length === 0) documents.set(resourceMetadataPrefix, only);
  return (path) => documents.get(path);
}

/** The first provider that has a document at a path answers for it. */
export function firstOf(providers: readonly Documents[]): Documents {
  return (path) => {
    for (const provider of providers) {
      const document = provider(path);
      if (document !== undefined) return document;
    }
    return undefined;
  };
}
