import { randomBytes } from 'node:crypto';
import { lstat, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ticketPattern = /^[0-9a-f]{32}$/;

/** Bytes of an approval. What is larger is something else. */
const largest = 1_024;

/**
 * Approvals as files, named by their tickets, that hold the time until which they are good.
 *
 * Whoever may write into the folder may approve. One approval is good for one call: taking it renames it first, which
 * succeeds once, whoever else takes it at that moment.
 */
export interface Approvals {
  /** Resolves to true once for each approval that is good. False for all else; never rejects. */
  take(ticket: string): Promise<boolean>;
}

/** @param now milliseconds since the epoch */
export function createApprovals(folder: string, now: () => number): Approvals {
  return {
    async take(ticket) {
      if (!ticketPattern.test(ticket)) return false;
      const taken = join(folder, `.taken-${ticket}-${randomBytes(8).toString('hex')}`);
      try {
        await rename(join(folder, ticket), taken);
      } catch {
        return false;
      }
      try {
        const { size, isFile } = await kindOf(taken);
        if (!isFile || size > largest) return false;
        return isGood(await readFile(taken, 'utf8'), ticket, now());
      } catch {
        return false;
      } finally {
        await unlink(taken).catch(() => undefined);
      }
    },
  };
}

/**
 * Approves one call.
 *
 * @param until milliseconds since the epoch
 * @returns the file that was written
 * @throws TypeError where the ticket is not one, or an error of the file system
 */
export async function writeApproval(folder: string, ticket: string, until: number): Promise<string> {
  if (!ticketPattern.test(ticket)) throw new TypeError('a ticket is 32 lower-case hexadecimal digits');
  const file = join(folder, ticket);
  const draft = join(folder, `.draft-${randomBytes(8).toString('hex')}`);
  const text = JSON.stringify({ ticket, until: new Date(until).toISOString() });
  // Written whole before it has its name: the gateway must not take half of one.
  await writeFile(draft, `${text}\n`, { flag: 'wx', mode: 0o644 });
  await rename(draft, file);
  return file;
}

async function kindOf(file: string): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const stat = await lstat(file);
  return { size: stat.size, isFile: stat.isFile() };
}

function isGood(text: string, ticket: string, now: number): boolean {
  const approval: unknown = JSON.parse(text);
  if (typeof approval !== 'object' || approval === null) return false;
  const { ticket: named, until } = approval as { ticket?: unknown; until?: unknown };
  return named === ticket && typeof until === 'string' && Date.parse(until) > now;
}
