import type { Config } from '../config/schema.ts';
import type { Dial } from '../dialer/contract.ts';
import { createDialer } from '../dialer/create-dialer.ts';
import type { Documents } from '../listener/documents.ts';
import {
  type AssertionKeys,
  assertionKeysPath,
  keySetMaxAge,
  loadAssertionKeys,
} from '../upstream/credentials/assertion-keys.ts';
import type { HeldBytes } from '../upstream/held-bytes.ts';
import { createHttpUpstream, type HttpUpstream, type HttpUpstreamDeps } from '../upstream/http.ts';
import type { ReloadStep } from './reloader.ts';

/** All upstreams, and the keys by which they know who called. */
export interface Upstreams {
  readonly ports: ReadonlyMap<string, HttpUpstream>;
  /** The public keys of assertions. */
  readonly documents: Documents;
  readonly reloadSteps: readonly ReloadStep[];
}

export interface UpstreamsConfig {
  readonly upstreams: readonly Pick<Config['upstreams'][number], 'name' | 'http'>[];
  readonly assertions?: Config['assertions'];
}

/**
 * @param held what answers of all upstreams hold
 * @param watching told of what changes about endpoints
 * @throws Error naming a file that is not usable
 */
export async function createUpstreams(
  config: UpstreamsConfig,
  dial: Dial,
  held?: HeldBytes,
  watching: Pick<HttpUpstreamDeps, 'onChange' | 'checkHealth'> = {},
): Promise<Upstreams> {
  const { assertions } = config;
  const assertionKeys =
    assertions === undefined ? undefined : await loadAssertionKeys(assertions, () => Date.now());
  const ports = new Map(
    config.upstreams.map(({ name, http }) => [
      name,
      createHttpUpstream(name, http, {
        dial,
        assertionKeys,
        held: held?.share(config.upstreams.length > 1),
        ...watching,
      }),
    ]),
  );
  return {
    ports,
    documents: assertionKeys === undefined ? () => undefined : keyDocument(assertionKeys),
    reloadSteps: [
      ...(assertionKeys === undefined
        ? []
        : [{ what: 'assertion keys', read: () => assertionKeys.reload() }]),
      ...[...ports].map(([name, port]) => ({ what: `upstream ${name}`, read: () => port.reload() })),
    ],
  };
}

/**
 * Upstreams for a command that asks them itself: with the gateway's credentials, and no gateway around.
 *
 * @throws Error naming a file that is not usable
 */
export async function openUpstreams(
  config: UpstreamsConfig & Pick<Config, 'outbound'>,
): Promise<Pick<Upstreams, 'ports'> & { close(): Promise<void> }> {
  const dialer = createDialer(config.outbound);
  const { ports } = await createUpstreams(config, dialer.dial, undefined, { checkHealth: false });
  return {
    ports,
    async close() {
      await Promise.all([...ports.values()].map((port) => port.close()));
      await dialer.close();
    },
  };
}

/** Made anew for each request: keys come and go with reloads, and some with time. */
function keyDocument(keys: AssertionKeys): Documents {
  return (path) =>
    path === assertionKeysPath
      ? {
          contentType: 'application/jwk-set+json',
          body: Buffer.from(JSON.stringify(keys.published())),
          maxAge: keySetMaxAge,
        }
      : undefined;
}
