import type { Config } from '../config/schema.ts';
import { readSessionKeys } from '../config/session-keys.ts';
import { createDialer } from '../dialer/create-dialer.ts';
import { readPlainFile } from '../document/plain-file.ts';
import { createIdentity } from '../identity/identity.ts';
import { createRevocations } from '../identity/revocations.ts';
import { loadTls } from '../listener/tls.ts';
import { pemBlocks } from '../values/pem-blocks.ts';
import { resourceOptionsOf } from './documents.ts';
import { createUpstreams } from './upstreams.ts';

/**
 * What a start would say of the files that identity, TLS, sessions and upstreams read: certificates, keys, lists. Everything
 * that is wrong at once, each with its file. Nothing is opened but files, and nobody is asked.
 */
export async function fileProblems(config: Config): Promise<readonly string[]> {
  const parts: readonly (() => unknown)[] = [
    ...config.listeners.map(
      ({ tls }) =>
        () =>
          tls === undefined ? undefined : loadTls(tls),
    ),
    () => identityOf(config),
    () => createRevocations(config.revocations, { issuers: issuersOf(config) }),
    () => readSessionKeys(config.session.keys),
    () => createDialer(config.outbound).close(),
    ...config.upstreams.map((upstream) => () => upstreamsOf({ upstreams: [upstream] })),
    () => upstreamsOf({ upstreams: [], assertions: config.assertions }),
    // A start waits for no store: what is wrong with these would be found in the log.
    ...certificatesOfStore(config).map((file) => () => needCertificate(file)),
  ];
  const problems: string[] = [];
  for (const part of parts) {
    try {
      await part();
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return [...new Set(problems)];
}

function identityOf(config: Config): void {
  createIdentity(
    {
      authenticators: config.identity,
      require: config.require,
      anonymous: config.insecure.anonymous,
      resources: resourceOptionsOf(config),
    },
    { dial: ask },
  ).close();
}

async function upstreamsOf(
  config: Pick<Config, 'upstreams'> & { readonly assertions?: Config['assertions'] },
) {
  // What signs is checked by itself: an upstream that has assertions needs no keys for its own files to be read.
  const upstreams = config.upstreams.map(({ name, http: { assertion: _, ...http } }) => ({ name, http }));
  const { ports } = await createUpstreams({ ...config, upstreams }, ask, undefined, { checkHealth: false });
  for (const port of ports.values()) await port.close();
}

function certificatesOfStore({ store }: Config): readonly string[] {
  const { ca, certificate } = store.redis?.tls ?? {};
  return [ca ?? [], certificate ?? []].flat();
}

function needCertificate(file: string): void {
  const blocks = pemBlocks(readPlainFile(file), 'CERTIFICATE');
  if (blocks === undefined || blocks.length === 0) throw new Error(`${file}: no PEM certificate in it`);
}

function issuersOf({ identity }: Config): readonly string[] {
  return identity.flatMap(({ token }) => (token === undefined ? [] : [token.issuer]));
}

function ask(): Promise<never> {
  return Promise.reject(new Error('a check asks nobody'));
}
