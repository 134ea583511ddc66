import { join, parse } from 'node:path';
import type { Config } from '../config/schema.ts';
import { workerCount } from '../workers/options.ts';

/** What the primary tells a worker to begin with. Travels through a pipe, never through environment or arguments. */
export interface WorkerOrders {
  /** The configuration as the primary read it: a file that changed since must not make workers differ. */
  readonly config: Config;
  /** From 1. */
  readonly worker: number;
  readonly workers: number;
  readonly adminUrl: string;
  /** Used where the configuration names no files of keys. */
  readonly sessionKey: Uint8Array;
  readonly redactionKey: Uint8Array;
}

/** What a worker tells once it serves. */
export interface WorkerReport {
  readonly listeners: readonly { readonly url: string }[];
  readonly policy: string;
}

/** The audit file of one worker: its number before the extension. */
export function auditFileOf(file: string, worker: number): string {
  const { dir, name, ext } = parse(file);
  return join(dir, `${name}.${worker}${ext}`);
}

/** Every audit file that a gateway with this configuration writes. */
export function auditFilesOf(config: Pick<Config, 'audit' | 'workers'>): readonly string[] {
  const { file } = config.audit;
  const workers = workerCount(config.workers);
  return workers === 1 ? [file] : Array.from({ length: workers }, (_, index) => auditFileOf(file, index + 1));
}
