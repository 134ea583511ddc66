import { lstat, realpath } from 'node:fs/promises';

export interface RealPathOptions {
  /** Milliseconds for one answer, waiting included. Default 1000: a tree that answers later is not there. */
  readonly timeoutMs?: number;
  /**
   * Questions asked of the file system at once. Default 2: it has four threads in Node, and a mount that hangs must
   * leave some to whoever writes the audit.
   */
  readonly concurrency?: number;
  /** Questions that may wait. Default 256, some milliseconds' worth; one more is not answered. */
  readonly waiting?: number;
  /** For tests. */
  readonly fileSystem?: FileSystem;
}

export interface FileSystem {
  realpath(path: string): Promise<string>;
  lstat(path: string): Promise<unknown>;
}

/** Deeper new folders than this are not made in one call. */
const mostMissing = 64;

/**
 * Asks the file system for paths without symbolic links.
 *
 * The answer is the real path of the deepest part that exists, with what does not exist yet appended. A path that ends
 * in `/` must be an existing folder. Undefined on any doubt: not absolute, not canonical, a loop, a link that leads
 * nowhere, no permission, a file used as a folder, too late, or too many at once.
 *
 * The answer was true when it was given. Whoever can write to the tree can change it before the server opens the file.
 */
export function createRealPath(options: RealPathOptions = {}): (path: string) => Promise<string | undefined> {
  const timeoutMs = options.timeoutMs ?? 1000;
  const concurrency = options.concurrency ?? 2;
  const mostWaiting = options.waiting ?? 256;
  const fileSystem = options.fileSystem ?? {
    realpath: (path) => realpath(path),
    lstat: (path) => lstat(path),
  };
  const waiting = new Set<() => void>();
  let running = 0;

  /** A question keeps its place until the file system answers, however long ago its caller gave up. */
  async function run(path: string): Promise<string | undefined> {
    running += 1;
    try {
      return await resolveDeepest(path, fileSystem);
    } catch {
      return undefined;
    } finally {
      running -= 1;
      const [next] = waiting;
      if (next !== undefined) {
        waiting.delete(next);
        next();
      }
    }
  }

  return (path) => {
    if (!isCanonical(path)) return Promise.resolve(undefined);
    const full = running >= concurrency;
    if (full && waiting.size >= mostWaiting) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const start = () => void run(path).then(answer);
      const answer = (real: string | undefined) => {
        clearTimeout(timer);
        waiting.delete(start);
        resolve(real);
      };
      const timer = setTimeout(answer, timeoutMs, undefined);
      if (full) waiting.add(start);
      else start();
    });
  };
}

function isCanonical(path: string): boolean {
  if (!path.startsWith('/') || path.includes('\0')) return false;
  if (path === '/') return true;
  const segments = path.slice(1).split('/');
  return segments.every(
    (segment, at) => segment !== '.' && segment !== '..' && (segment !== '' || at === segments.length - 1),
  );
}

async function resolveDeepest(path: string, fileSystem: FileSystem): Promise<string | undefined> {
  if (path.endsWith('/')) return await fileSystem.realpath(path);
  let existing = path;
  for (let missing = 0; missing <= mostMissing; missing++) {
    try {
      const real = await fileSystem.realpath(existing);
      const rest = path.slice(existing === '/' ? 0 : existing.length);
      return real === '/' ? rest || '/' : real + rest;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || existing === '/') return undefined;
    }
    // A link that leads nowhere is there, though what it names is not: writing through it would make that file.
    if (await exists(existing, fileSystem)) return undefined;
    existing = existing.slice(0, existing.lastIndexOf('/')) || '/';
  }
  return undefined;
}

async function exists(path: string, fileSystem: FileSystem): Promise<boolean> {
  try {
    await fileSystem.lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
