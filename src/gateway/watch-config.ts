import type { Config } from '../config/schema.ts';
import { type Digests, digestsOf, watchedFiles, watchFiles } from '../config/watch.ts';
import type { Log } from '../observe/log.ts';

/** What stands in the files before they are read at a start. @returns undefined where they are not watched */
export async function beforeReading(config: Config): Promise<Digests | undefined> {
  return config.reload.watch ? digestsOf(watchedFiles(config)) : undefined;
}

/**
 * Looks for changes of the files that the configuration names, also of those made since `before`.
 *
 * @returns undefined where it says not to
 */
export async function watchConfig(
  config: Config,
  before: Digests | undefined,
  log: Log,
  reload: () => Promise<void>,
): Promise<{ close(): void } | undefined> {
  if (before === undefined) return undefined;
  return watchFiles(
    [...before.keys()],
    config.reload,
    async (groups) => {
      if (groups.has('config')) log.warn('the gateway file changed: it is read at the next start');
      await reload();
    },
    (cause) => log.error('watching files failed', { cause }),
    before,
  );
}
