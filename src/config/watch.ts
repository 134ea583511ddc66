import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FileGroup, fileReferences, isPolicyFile } from './files.ts';
import type { Config } from './schema.ts';

/** One file or folder to keep an eye on. */
export interface Watched {
  readonly path: string;
  readonly group: FileGroup;
  /** A folder of policy files: files that come and go are changes too. */
  readonly folder: boolean;
}

export interface WatchOptions {
  /** Milliseconds of quiet after a notification before files are compared. */
  readonly settle: number;
  /** Milliseconds between comparisons without any notification; 0 for none. */
  readonly poll: number;
}

export interface Watcher {
  /** Compares now, as the poll does, and waits for files that are being written. Resolves once the callback, if there was cause for one, has returned. */
  check(): Promise<void>;
  close(): void;
}

/** After so many quiet periods without quiet, files are compared all the same. */
const longestUnrest = 10;

/** Everything on disk that a configuration was made of. */
export function watchedFiles(config: Config): readonly Watched[] {
  const files: Watched[] = [{ path: config.file, group: 'config', folder: false }];
  for (const { file, group, nature } of fileReferences(config)) {
    if (nature !== 'output' && nature !== 'output-folder')
      files.push({ path: file, group, folder: nature === 'folder' });
  }
  return files;
}

/**
 * Calls `changed` with the groups whose content is no longer what it was, at most once per quiet period.
 *
 * Watches folders, not files: Kubernetes swaps the symbolic link `..data` beside a file, and editors rename a new
 * file over the old one; a watch on the file itself would stay with the old inode and go silent. A notification only
 * starts a comparison of contents, so noise in the folder reloads nothing, and a missed one is made good by the poll.
 *
 * @param changed called one at a time; what it throws goes to `failed`
 * @param before of the same files, taken before they were read: what changed since is a change too
 */
export async function watchFiles(
  watched: readonly Watched[],
  options: WatchOptions,
  changed: (groups: ReadonlySet<FileGroup>) => void | Promise<void>,
  failed: (error: unknown) => void,
  before?: Digests,
): Promise<Watcher> {
  const known = new Map<Watched, string>(before ?? (await digestsOf(watched)));
  const watchers: FSWatcher[] = [];
  let settle: NodeJS.Timeout | undefined;
  let closed = false;
  let comparing: Promise<void> | undefined;
  let again = false;

  const digests = (): Promise<Digests> => digestsOf(watched);

  /**
   * What stands in the files once nobody writes: half a file can be a valid one, with half of the keys or of the denies.
   * Files of one set are written one by one, so any that moves holds up all.
   */
  async function atRest(first: ReadonlyMap<Watched, string>): Promise<ReadonlyMap<Watched, string>> {
    let found = first;
    for (let waits = 0; waits < longestUnrest && !closed; waits += 1) {
      await sleep(options.settle, undefined, { ref: false });
      const next = await digests();
      if (watched.every((file) => next.get(file) === found.get(file))) return next;
      found = next;
    }
    return found;
  }

  /** @param settled whether notifications came and then fell quiet: they tell of every write to these folders */
  async function compare(settled: boolean): Promise<void> {
    const differs = (found: ReadonlyMap<Watched, string>): boolean =>
      watched.some((file) => found.get(file) !== known.get(file));
    let found = await digests();
    if (!differs(found)) return;
    if (!settled) found = await atRest(found);
    const groups = new Set<FileGroup>();
    for (const file of watched) {
      const digest = found.get(file)!;
      if (digest === known.get(file)) continue;
      known.set(file, digest);
      groups.add(file.group);
    }
    if (groups.size > 0 && !closed) await changed(groups);
  }

  /** One comparison at a time; what happens meanwhile causes one more, never a queue of them. */
  function check(settled = false): Promise<void> {
    if (comparing !== undefined) {
      again = true;
      return comparing;
    }
    comparing = (async () => {
      try {
        await compare(settled);
        while (again && !closed) {
          again = false;
          await compare(false);
        }
      } catch (error) {
        failed(error);
      } finally {
        comparing = undefined;
      }
    })();
    return comparing;
  }

  let noticedAt: number | undefined;
  /** Notifications came after the last quiet period was begun. */
  let unrest = false;
  const notice = () => {
    if (closed) return;
    const now = performance.now();
    noticedAt ??= now;
    // A folder that never falls quiet must not put the comparison off for ever.
    if (settle !== undefined && now - noticedAt > longestUnrest * options.settle) {
      unrest = true;
      return;
    }
    unrest = false;
    clearTimeout(settle);
    settle = setTimeout(() => {
      settle = undefined;
      noticedAt = undefined;
      void check(!unrest);
    }, options.settle);
    settle.unref();
  };

  for (const [folder, names] of foldersOf(watched)) {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // The audit file may stand in the same folder and is written all the time.
        if (name === null || names.has(name) || name.startsWith('..') || isPolicyFile(name)) notice();
      });
      // A folder that vanishes ends its watch; the poll goes on.
      watcher.on('error', failed);
      watchers.push(watcher);
    } catch (error) {
      failed(error);
    }
  }
  const look = (): void => {
    // Somebody writes: the end of the quiet period looks anyway.
    if (settle === undefined) void check();
  };
  const poll = options.poll > 0 ? setInterval(look, options.poll) : undefined;
  poll?.unref();
  if (before !== undefined) void check();

  return {
    check: () => check(),
    close() {
      closed = true;
      clearTimeout(settle);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Folders to watch, and the names in them that matter. */
function foldersOf(watched: readonly Watched[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  for (const { path, folder } of watched) {
    const at = folder ? path : dirname(path);
    const names = folders.get(at) ?? new Set();
    folders.set(at, names);
    if (!folder) names.add(basename(path));
  }
  return folders;
}

/** Files of configuration are small; a larger one is compared by what the system says about it. */
const largestDigested = 16 * 1024 * 1024;

/** What stood in each of the files. */
export type Digests = ReadonlyMap<Watched, string>;

export async function digestsOf(watched: readonly Watched[]): Promise<Digests> {
  const found = new Map<Watched, string>();
  for (const file of watched) found.set(file, await digestOf(file));
  return found;
}

/** Names the content of a file or folder. A file that cannot be read has a digest too: its return is a change. */
async function digestOf({ path, folder }: Watched): Promise<string> {
  if (!folder) return digestFile(path);
  try {
    const names = (await readdir(path)).filter(isPolicyFile).sort();
    const digests = await Promise.all(names.map((name) => digestFile(join(path, name))));
    return names.map((name, index) => `${name}\0${digests[index]}`).join('\0');
  } catch (error) {
    return `unreadable ${(error as NodeJS.ErrnoException).code}`;
  }
}

async function digestFile(path: string): Promise<string> {
  try {
    const info = await stat(path);
    if (!info.isFile() || info.size > largestDigested) return `${info.ino} ${info.size} ${info.mtimeMs}`;
    return createHash('sha256')
      .update(await readFile(path))
      .digest('base64');
  } catch (error) {
    return `unreadable ${(error as NodeJS.ErrnoException).code}`;
  }
}
