import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DocumentSource } from '../document/parse-document.ts';

/** The text of the lock file; undefined where there is no such file. @throws Error where it cannot be read */
export async function readPinsFile(file: string): Promise<DocumentSource | undefined> {
  try {
    return { file, text: await readFile(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Puts a new text in the place of the lock file, at once and whole: a reader sees the old or the new one, and a crash
 * leaves one of them. The mode of the old file stays; a new one is readable by all, as it holds no secret.
 *
 * @param before the text that the new one was made from, undefined for no file
 * @returns false, with nothing written, where the file is not that any more
 * @throws Error where the folder cannot be written to
 */
export async function replacePinsFile(
  file: string,
  text: string,
  before: string | undefined,
): Promise<boolean> {
  // Through a symbolic link to the file itself: renaming over the link would cut it off.
  const place = before === undefined ? file : await realpath(file);
  const mode = before === undefined ? 0o644 : (await stat(place)).mode & 0o777;
  const beside = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(beside, 'wx', mode);
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    if ((await readPinsFile(file))?.text !== before) return false;
    await rename(beside, place);
    return true;
  } finally {
    await rm(beside, { force: true });
  }
}
