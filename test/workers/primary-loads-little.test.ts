import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { packagesOf, watchLoadedModules } from '../support/loaded-modules.ts';

const dependencies = Object.keys(
  (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
    }
  ).dependencies,
);

/** Rooms that run exchanges, know callers or decide. The primary reads their options, and nothing of how they work. */
const working = [
  'gateway.ts',
  'pipeline/run.ts',
  'filters/index.ts',
  'identity/identity.ts',
  'listener/listener.ts',
  'upstream/http.ts',
  'policy/compile.ts',
  'observe/audit.ts',
];

describe('the primary of several workers', () => {
  let folder: GatewayFolder | undefined;
  let gateway: GatewayProcess | undefined;

  afterEach(async () => {
    await gateway?.kill();
    folder?.remove();
  });

  it('loads what reads the gateway file, writes the log and merges metrics, and nothing that serves', async () => {
    folder = await prepareGateway({
      door: 'plain',
      upstreams: { nowhere: 'http://127.0.0.1:9/' },
      config: { workers: 2, log: { level: 'info' } },
    });
    const loaded = watchLoadedModules(folder.folder);
    gateway = await startGatewayProcess(folder.file, 60_000, loaded.environment);
    const { pid } = gateway;
    const own = (urls: readonly string[]) => packagesOf(urls).filter((name) => dependencies.includes(name));
    // Each of these costs the primary memory: is a further one worth it?
    expect(own(loaded.of(pid))).toEqual([
      '@prometheus-io/client',
      'ipaddr.js',
      'libphonenumber-js',
      'pino',
      'yaml',
      'zod',
    ]);
    const files = (urls: readonly string[]) =>
      urls.flatMap((url) => /\/src\/([^?]+)$/.exec(url)?.[1] ?? []).filter((file) => working.includes(file));
    expect(files(loaded.of(pid))).toEqual([]);
    const workers = loaded.pids().filter((each) => each !== pid);
    expect(workers).toHaveLength(2);
    for (const worker of workers) {
      const packages = own(loaded.of(worker));
      expect(packages).toEqual(expect.arrayContaining(['fastify', 'undici', 'jose', 're2js']));
      // No policy here has a rule about SQL, and no certificate is made while serving.
      for (const idle of ['libpg-query', 'sqlite3-parser', '@peculiar/x509', 'pkijs'])
        expect(packages).not.toContain(idle);
      // The list above names files that there are.
      expect(files(loaded.of(worker)).sort()).toEqual(working.toSorted());
    }
  }, 90_000);
});
