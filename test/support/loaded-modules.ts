/** What a Node program loads, told by the program itself: given to it by `NODE_OPTIONS`, and so to what it forks. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Runs before the program: a file for each process, a line for each module. */
const hook = (folder: string): string => `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
const file = ${JSON.stringify(folder)} + '/loaded.' + process.pid;
registerHooks({
  load(url, context, next) {
    appendFileSync(file, url + '\\n');
    return next(url, context);
  },
});
`;

export interface LoadedModules {
  /** Environment of the program. */
  readonly environment: Readonly<Record<string, string>>;
  /** URLs of the modules that a process has loaded so far. */
  of(pid: number): readonly string[];
  /** Processes that have loaded any. */
  pids(): readonly number[];
}

/** @param folder where the lists are kept */
export function watchLoadedModules(folder: string): LoadedModules {
  const file = join(folder, 'watch-loaded.mjs');
  writeFileSync(file, hook(folder));
  return {
    environment: { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` },
    of: (pid) =>
      readFileSync(join(folder, `loaded.${pid}`), 'utf8')
        .split('\n')
        .filter(Boolean),
    pids: () =>
      readdirSync(folder)
        .flatMap((name) => /^loaded\.(\d+)$/.exec(name)?.[1] ?? [])
        .map(Number),
  };
}

/** The packages that modules belong to, sorted. */
export function packagesOf(urls: readonly string[]): readonly string[] {
  const names = urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  return [...new Set(names)].sort();
}
