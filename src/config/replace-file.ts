import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface ReplaceRules {
  /** Mode of a file that is not there yet. */
  readonly newMode: number;
  /** What of the mode of an older file may stay. Default: all of it. */
  readonly keptMode?: number;
}

/** The text of a file; undefined where there is none. @throws Error where it cannot be read */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Puts a new text in the place of a file, at once and whole: a reader sees the old or the new one, and a crash leaves one
 * of them. Owner and group stay.
 *
 * @param before the text that the new one was made from, undefined for no file
 * @returns false, with nothing written, where the file is not that any more
 * @throws Error where the folder cannot be written to, or owner and group cannot be kept
 */
export async function replaceFile(
  file: string,
  text: string,
  before: string | undefined,
  rules: ReplaceRules,
): Promise<boolean> {
  // Through a symbolic link to the file itself: renaming over the link would cut it off.
  const place = before === undefined ? file : await realpath(file);
  const old = before === undefined ? undefined : await stat(place);
  const mode = old === undefined ? rules.newMode : old.mode & 0o777 & (rules.keptMode ?? 0o777);
  const beside = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      const { uid, gid } = await handle.stat();
      // A file that its reader can no longer read is worse than one that was not changed.
      if (old !== undefined && (old.uid !== uid || old.gid !== gid)) await handle.chown(old.uid, old.gid);
      // Not at the opening: there the process's umask would take from it.
      await handle.chmod(mode);
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    if ((await readIfThere(file)) !== before) return false;
    await rename(beside, place);
    return true;
  } finally {
    await rm(beside, { force: true });
  }
}
