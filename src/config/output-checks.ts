import { constants, statSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { workerCount } from '../workers/options.ts';
import type { Finding } from './checks.ts';
import type { GatewayFile } from './schema.ts';

/** 107 bytes: what the kernel has room for in the name of a socket, without the byte at its end. */
const longestSocket = 107;

type Outputs = Pick<GatewayFile, 'audit' | 'control' | 'workers'>;

/**
 * What a start would find of the places that the gateway writes to: a file for the audit, a folder for the control socket.
 *
 * Not part of loading: other commands read the same file as users, and on machines, that write nothing there.
 */
export async function outputFindings(config: Outputs): Promise<readonly Finding[]> {
  return [...(await auditFindings(config)), ...(await socketFindings(config))];
}

/** Why several workers cannot write audit files beside this one; undefined where they can. */
export function sharedAuditFault(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  // Behind /dev/stdout may be a regular file just now, where somebody redirected it; beside it there is no place for others.
  const isDevice = /^\/(?:dev|proc)\//.test(file);
  return (found === undefined || found.isFile()) && !isDevice
    ? undefined
    : `${file} is no regular file: with more than one worker each writes a file of its own beside it`;
}

async function auditFindings({ audit: { file }, workers }: Outputs): Promise<readonly Finding[]> {
  const at = ['audit', 'file'];
  const isShared = workerCount(workers) > 1;
  const fault = isShared ? sharedAuditFault(file) : undefined;
  if (fault !== undefined) return [{ at, message: fault }];
  if (!isShared && (await natureOf(file)) !== undefined) {
    return (await isWritable(file)) ? [] : [{ at, message: `${file} cannot be written by this user` }];
  }
  // Folders that are missing are made, in the nearest one that is there.
  let folder = dirname(file);
  let nature = await natureOf(folder);
  while (nature === undefined && folder !== dirname(folder)) {
    folder = dirname(folder);
    nature = await natureOf(folder);
  }
  if (nature !== 'folder') return [{ at, message: `${folder} is not a folder` }];
  return (await isWritable(folder))
    ? []
    : [{ at, message: `nothing can be made in the folder ${folder} by this user` }];
}

async function socketFindings({ control }: Outputs): Promise<readonly Finding[]> {
  if (control === undefined) return [];
  const { socket } = control;
  const folder = dirname(socket);
  const problem = (message: string): readonly Finding[] => [{ at: ['control', 'socket'], message }];
  if (Buffer.byteLength(socket) > longestSocket) {
    return problem(
      `${socket} is too long for a socket: its whole path may have ${longestSocket} bytes at most`,
    );
  }
  const nature = await natureOf(folder);
  if (nature === undefined)
    return problem(`the folder ${folder} is not there, and is not made by the gateway`);
  if (nature !== 'folder') return problem(`${folder} is not a folder`);
  if (!(await isWritable(folder))) return problem(`nothing can be made in the folder ${folder} by this user`);
  const standing = await natureOf(socket);
  return standing === undefined || standing === 'socket'
    ? []
    : problem(`something stands at ${socket} that is not a socket`);
}

async function natureOf(path: string): Promise<'folder' | 'socket' | 'other' | undefined> {
  try {
    const info = await stat(path);
    return info.isDirectory() ? 'folder' : info.isSocket() ? 'socket' : 'other';
  } catch (error) {
    // What stands behind a folder that may not be entered is not known to be missing.
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'other';
  }
}

async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
