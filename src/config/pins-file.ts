import type { DocumentSource } from '../document/parse-document.ts';
import { withFileLock } from './file-lock.ts';
import { readIfThere, replaceFile } from './replace-file.ts';

/** The text of the lock file; undefined where there is no such file. @throws Error where it cannot be read */
export async function readPinsFile(file: string): Promise<DocumentSource | undefined> {
  const text = await readIfThere(file);
  return text === undefined ? undefined : { file, text };
}

/**
 * Reads and replaces the lock file while nobody else does: of two workers that trust something at the same moment, or of
 * one and `pin approve`, the one that writes last would drop what the other added.
 *
 * @throws FileLocked where somebody else keeps holding it
 */
export function changePinsFile<T>(file: string, change: () => Promise<T>): Promise<T> {
  return withFileLock(file, change);
}

/**
 * Puts a new text in the place of the lock file, at once and whole: a reader sees the old or the new one, and a crash
 * leaves one of them. Within {@link changePinsFile}. The mode of the old file stays; a new one is readable by all, as it holds no secret.
 *
 * @param before the text that the new one was made from, undefined for no file
 * @returns false, with nothing written, where the file is not that any more
 * @throws Error where the folder cannot be written to
 */
export function replacePinsFile(file: string, text: string, before: string | undefined): Promise<boolean> {
  return replaceFile(file, text, before, { newMode: 0o644 });
}
