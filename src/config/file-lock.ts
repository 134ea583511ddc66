import { open, readFile, realpath, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** 3 s in all: a command that changes a file needs a hundredth of that. */
const attempts = 60;
const pauseMs = 50;

/** Somebody else holds the lock, or died holding it. */
export class FileLocked extends Error {
  constructor(lock: string, holder: string) {
    super(`${lock}: held by process ${holder}; if that is no \`sallyport\`, delete this file`);
    this.name = 'FileLocked';
  }
}

/**
 * Does some work while no other process does any with the same file, where it asks in the same way. The lock is the file
 * `FILE.lock` beside it, or beside what a link of that name points at. One that was left behind is not taken over: two that both took it over would be worse.
 *
 * @throws FileLocked where it is not free within 3 s
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  // Of the file itself: two names of one file, a link and what it points at, must not have two locks.
  const lock = `${await realpath(file).catch(() => file)}.lock`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await writeLock(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (attempt === attempts) throw new FileLocked(lock, await holderOf(lock));
      await sleep(pauseMs);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** A disk that is full must not leave a lock that nobody holds. */
async function writeLock(lock: string): Promise<void> {
  const handle = await open(lock, 'wx', 0o600);
  try {
    await handle.writeFile(String(process.pid));
  } catch (error) {
    await rm(lock, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function holderOf(lock: string): Promise<string> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  return /^\d{1,10}$/.test(text) ? text : '(unknown)';
}
