import type { Config } from '../config/schema.ts';
import { watchedFiles, watchFiles } from '../config/watch.ts';
import type { Log } from '../observe/log.ts';

/** Looks for changes of the files that the configuration names. @returns undefined where it says not to */
export async function watchConfig(
  config: Config,
  log: Log,
  reload: () => Promise<void>,
): Promise<{ close(): void } | undefined> {
  if (!config.reload.watch) return undefined;
  return watchFiles(
    watchedFiles(config),
    config.reload,
    async (groups) => {
      if (groups.has('config')) log.warn('the gateway file changed: it is read at the next start');
      await reload();
    },
    (cause) => log.error('watching files failed', { cause }),
  );
}
