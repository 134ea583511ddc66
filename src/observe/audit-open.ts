import { constants, write } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An open audit file. */
export interface AuditTarget {
  readonly handle: FileHandle;
  /** True for what can be synced, rotated and torn; false for devices and pipes. */
  readonly regular: boolean;
  /** Names the inode, to notice when the path leads elsewhere. */
  readonly inode: string;
  /** The file ended inside a line, as after a kill: that line must be closed off before the next record. */
  readonly torn: boolean;
  /** Permission bits that let others than the owner in, zero where there are none. */
  readonly openTo: number;
}

/**
 * Opens the audit file for appending, creating it (0600) and its folder (0700) where they are missing.
 *
 * @throws the system's error where that is impossible
 */
export async function openAuditTarget(file: string): Promise<AuditTarget> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // O_APPEND: two processes that share a file by mistake interleave lines, and do not overwrite one another's.
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    const info = await handle.stat();
    const regular = info.isFile();
    return {
      handle,
      regular,
      inode: `${info.dev}:${info.ino}`,
      torn: regular && info.size > 0 && (await lastByte(file, info.size)) !== 0x0a,
      openTo: regular ? info.mode & 0o077 : 0,
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether `file` still leads to what was opened: it does not after a rotation, or once somebody deleted it. */
export async function stillAt(file: string, target: AuditTarget): Promise<boolean> {
  if (!target.regular) return true;
  try {
    const info = await stat(file);
    return `${info.dev}:${info.ino}` === target.inode;
  } catch {
    return false;
  }
}

async function lastByte(file: string, size: number): Promise<number | undefined> {
  const handle = await open(file, constants.O_RDONLY);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return bytesRead === 1 ? buffer[0] : undefined;
  } finally {
    await handle.close();
  }
}

/** The system calls that can half succeed. */
export interface System {
  /** Writes `bytes` from `offset` on. @returns how many were taken, which may be fewer than there are */
  write(fd: number, bytes: Buffer, offset: number): Promise<number>;
  sync(handle: FileHandle): Promise<void>;
}

export const realSystem: System = {
  write: (fd, bytes, offset) =>
    new Promise((resolve, reject) => {
      write(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    }),
  sync: (handle) => handle.datasync(),
};
