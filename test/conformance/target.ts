/** What the suite is pointed at: the gateway in front of a server, or the server itself for the baseline. */

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/document/problems.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';

export interface Target {
  readonly url: string;
  close(): Promise<void>;
}

// A port found free may be taken before the gateway has it: other runs look for one at the same time.
const attempts = 5;

/** Starts the gateway of `sallyport.yaml` in front of one MCP endpoint, with an audit file of its own. */
export async function startTarget(upstream: string, options: { readonly direct: boolean }): Promise<Target> {
  if (options.direct) return { url: upstream, close: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-target-'));
  const audit = join(folder, 'audit.jsonl');
  const { gateway, path } = await start(upstream, audit);
  const [listener] = gateway.listeners;
  if (listener === undefined) throw new Error('The gateway listens nowhere');
  return {
    url: new URL(path, listener.url).href,
    close: async () => {
      await gateway.drain();
      const { size } = await stat(audit);
      if (size === 0) throw new Error('The audit is empty: nothing came through the gateway');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(upstream: string, audit: string): Promise<{ gateway: Gateway; path: string }> {
  for (let attempt = 1; ; attempt++) {
    const loaded = await loadConfig(join(import.meta.dirname, 'sallyport.yaml'), {
      CONFORMANCE_UPSTREAM: upstream,
      CONFORMANCE_AUDIT: audit,
      CONFORMANCE_PORT: String(await findFreePort()),
    });
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const [route] = loaded.config.upstreams;
    if (route === undefined) throw new Error('The gateway serves nothing');
    const started = await startGateway(loaded.config);
    if (started.ok) return { gateway: started.gateway, path: route.path };
    if (attempt === attempts || !started.problems.some((problem) => problem.includes('EADDRINUSE'))) {
      throw new Error(started.problems.join('\n'));
    }
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
