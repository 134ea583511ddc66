import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Without O_NONBLOCK a named pipe in the place of a file holds up whoever opens it, until somebody writes: for ever. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

interface Kind {
  isFile(): boolean;
  isDirectory(): boolean;
}

/** A pipe that nobody writes to reads as an empty file: a list that denies nobody. What a folder is, reading it tells. */
function refuseOthers(path: string, kind: Kind): void {
  if (!kind.isFile() && !kind.isDirectory()) {
    throw Object.assign(new Error(`${path} is no plain file`), { code: 'NOT_A_FILE' });
  }
}

/**
 * Reads a file whole, as text, and waits for nobody.
 *
 * @throws the system's error where it cannot be read; Error that names it where it is a pipe, a socket or a device
 */
export function readPlainFile(path: string): string {
  const descriptor = openSync(path, flags);
  try {
    refuseOthers(path, fstatSync(descriptor));
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** As {@link readPlainFile}, beside the event loop: for what may be large, or many. */
export async function loadPlainFile(path: string): Promise<string> {
  const handle = await open(path, flags);
  try {
    refuseOthers(path, await handle.stat());
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
