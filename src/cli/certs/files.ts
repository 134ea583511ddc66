import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RefusedError, toMessage } from './problems.ts';

export interface PlannedFile {
  readonly path: string;
  readonly contents: string | Uint8Array;
  readonly mode: number;
  /** Whether what stands there may be replaced. */
  readonly replace?: boolean | undefined;
}

/**
 * Writes all files or leaves none of the new ones: every path is checked before the first is written, and each is created
 * anew. A file that is replaced is swapped in whole.
 */
export async function writeAll(files: readonly PlannedFile[]): Promise<void> {
  await refuseExisting(files);
  const written: string[] = [];
  try {
    for (const { path, contents, mode, replace } of files) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      if (replace === true && (await exists(path))) {
        await writeWhole(path, contents, mode);
      } else {
        // `wx` does not follow a link that somebody put there since the check.
        await writeFile(path, contents, { flag: 'wx', mode });
        written.push(path);
      }
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    throw new RefusedError(`cannot write: ${toMessage(error)}`);
  }
}

export async function refuseExisting(files: readonly PlannedFile[]): Promise<void> {
  const existing: string[] = [];
  for (const { path, replace } of files) if (replace !== true && (await exists(path))) existing.push(path);
  if (existing.length > 0) {
    throw new RefusedError(`nothing is overwritten, and these exist:\n  ${existing.join('\n  ')}`);
  }
}

/** Readers see the old file or the new one, never half of one, and a crash leaves one of both. */
export async function writeWhole(path: string, contents: string | Uint8Array, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** @throws RefusedError */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new RefusedError(`cannot make ${path}: ${toMessage(error)}`);
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    // Not stat: a dangling link exists too.
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw new RefusedError(`cannot look at ${path}: ${toMessage(error)}`);
  }
}

/**
 * Runs the work while no other process does the same. Two that write one index at once would give away a certificate
 * that no index knows, and that nobody could revoke by its name.
 */
export async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    await writeFile(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new RefusedError(`there is no CA in ${dirname(path)}`);
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new RefusedError(`cannot lock the CA: ${toMessage(error)}`);
    const holder = (await readFile(path, 'utf8').catch(() => '')).trim();
    throw new RefusedError(
      `another process (${holder === '' ? 'unknown' : holder}) works on this CA; if it is gone, delete ${path}`,
    );
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
