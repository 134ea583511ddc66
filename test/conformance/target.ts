/** What the suite is pointed at: the gateway in front of a server, or the server itself for the baseline. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/document/problems.ts';
import { startGateway } from '../../src/gateway.ts';

export interface Target {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the gateway of `sallyport.yaml` in front of one MCP endpoint, with an audit file of its own. */
export async function startTarget(upstream: string, options: { readonly direct: boolean }): Promise<Target> {
  if (options.direct) return { url: upstream, close: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-target-'));
  const loaded = await loadConfig(join(import.meta.dirname, 'sallyport.yaml'), {
    CONFORMANCE_UPSTREAM: upstream,
    CONFORMANCE_AUDIT: join(folder, 'audit.jsonl'),
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const started = await startGateway(loaded.config);
  if (!started.ok) throw new Error(started.problems.join('\n'));
  const { gateway } = started;
  const [listener] = gateway.listeners;
  const [route] = loaded.config.upstreams;
  if (listener === undefined || route === undefined) throw new Error('The gateway serves nothing');
  return {
    url: new URL(route.path, listener.url).href,
    close: async () => {
      await gateway.drain();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
