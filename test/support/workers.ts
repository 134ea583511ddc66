/** A gateway of two worker processes, as operators run it, over plain HTTP on loopback. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GatewayFolder, prepareGateway, type TestGatewayOptions } from './gateway.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { initialize } from './mcp-messages.ts';
import { post, type RawAnswer, send } from './raw-client.ts';

export interface WorkersGateway {
  readonly folder: GatewayFolder;
  readonly process: GatewayProcess;
  url(upstream: string): string;
  metrics(): Promise<string>;
  readyz(): Promise<RawAnswer>;
  /** Process ids of the workers that were there at the start. */
  readonly pids: readonly number[];
  /** Records of one worker, from 1. */
  audit(worker: number): readonly Record<string, unknown>[];
  close(): Promise<void>;
}

export async function startWorkers(
  options: TestGatewayOptions,
  workers: number | 'auto' = 2,
): Promise<WorkersGateway> {
  const folder = await prepareGateway({
    door: 'plain',
    ...options,
    config: { log: { level: 'info' }, workers, ...options.config },
  });
  // Two processes to start on a machine that is busy with other tests.
  const started = await startGatewayProcess(folder.file, 60_000);
  const serving = started.log().find(({ event }) => event === 'serving');
  return {
    folder,
    process: started,
    url: (upstream) => `${started.url}/${upstream}/mcp`,
    metrics: async () => (await send('GET', `${started.adminUrl}/metrics`)).body.toString(),
    readyz: () => send('GET', `${started.adminUrl}/readyz`),
    pids: (serving!['pids'] as string[]).map(Number),
    audit: (worker) => recordsIn(join(folder.folder, `audit.${worker}.jsonl`)),
    async close() {
      await started.kill();
      folder.remove();
    },
  };
}

function recordsIn(file: string): readonly Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** One number of a scrape; 0 where it is not there. `series` is its name with labels, as it is written. */
export function numberOf(metrics: string, series: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** The sum over all series of a metric. */
export function sumOf(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Opens a session and gives the headers that go with it. */
export async function openSession(url: string): Promise<Readonly<Record<string, string>>> {
  const opened = await post(url, initialize());
  return {
    'mcp-session-id': opened.headers['mcp-session-id'] ?? '',
    'mcp-protocol-version': '2025-11-25',
  };
}
