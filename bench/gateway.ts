/** One whole gateway, as `sallyport serve` would start it from this configuration file. */
import { loadConfig } from '../src/config/load.ts';
import { formatProblem } from '../src/document/problems.ts';
import { startGateway } from '../src/gateway.ts';
import { beMeasured } from './measured.ts';

interface Setup {
  readonly config: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function start({ config, environment }: Setup): Promise<{ url: string }> {
  const loaded = await loadConfig(config, environment, []);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const started = await startGateway(loaded.config);
  if (!started.ok) throw new Error(started.problems.join('\n'));
  return { url: `${started.gateway.listeners[0]?.url}${loaded.config.upstreams[0]?.path}` };
}

beMeasured(start);
