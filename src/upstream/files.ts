import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Reads a file of configuration whole.
 *
 * @throws Error whose message names the file, where it cannot be read, is no plain file or is larger than `limit`
 */
export function readSmallFile(path: string, limit: number): Buffer {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a named pipe in the place of the file would hold up the whole process.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new Error(`${path}: cannot be opened (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
  try {
    const state = fstatSync(descriptor);
    if (!state.isFile() || state.size > limit) {
      throw new Error(`${path}: must be a plain file of at most ${limit} bytes`);
    }
    const content = Buffer.alloc(state.size);
    let used = 0;
    while (used < content.length) {
      const count = readSync(descriptor, content, used, content.length - used, null);
      if (count === 0) {
        break;
      }
      used += count;
    }
    return content.subarray(0, used);
  } finally {
    closeSync(descriptor);
  }
}
