/** Gateway processes of their own that share one Redis, as replicas of one gateway do. */

import { type GatewayFolder, prepareGateway, type TestGatewayOptions } from './gateway.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import type { TestRedis } from './redis.ts';

/** Any text of 32 bytes: all replicas have the same. */
export const sharedSessionKey = 'a key of a gateway that is used in tests alone';

export interface Replica {
  readonly process: GatewayProcess;
  readonly folder: GatewayFolder;
  url(upstream: string): string;
}

export interface Replicas {
  readonly all: readonly Replica[];
  /** Ends those that are left, and removes their folders. */
  close(): Promise<void>;
}

/** The store of a gateway file, and the session key that replicas need. */
export function sharedStore(redis: Readonly<Record<string, unknown>>): {
  readonly files: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
} {
  return {
    files: { 'session.key': sharedSessionKey },
    config: { session: { keys: ['session.key'] }, store: { redis } },
  };
}

/** @param each what each replica has beside the store: files replace those that all have, too */
export async function startReplicas(
  redis: TestRedis,
  each: readonly TestGatewayOptions[],
): Promise<Replicas> {
  const shared = sharedStore({ url: redis.url, replicas: each.length });
  const folders = await Promise.all(
    each.map(({ files, config, ...options }) =>
      prepareGateway({
        door: 'plain',
        ...options,
        files: { ...shared.files, ...files },
        config: { ...shared.config, log: { level: 'info' }, ...config },
      }),
    ),
  );
  // Several processes to start on a machine that is busy with other tests.
  const processes = await Promise.all(folders.map(({ file }) => startGatewayProcess(file, 60_000)));
  return {
    all: processes.map((process, index) => ({
      process,
      folder: folders[index]!,
      url: (upstream) => `${process.url}/${upstream}/mcp`,
    })),
    async close() {
      for (const process of processes) await process.kill();
      for (const folder of folders) folder.remove();
    },
  };
}
