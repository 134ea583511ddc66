import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { loadPlainFile } from '../document/plain-file.ts';
import type { PolicySource } from '../policy/compile.ts';
import { isPolicyFile } from './files.ts';

/**
 * Reads the policy files of a folder, not of its subfolders: decision tables live in one.
 *
 * Files are named by folder and name, `policies/team.yaml`, so that a reason reads the same on every machine.
 *
 * @throws the system's error where the folder or a file cannot be read
 */
export async function readPolicySources(folder: string): Promise<readonly PolicySource[]> {
  const names = (await readdir(folder)).filter(isPolicyFile).sort();
  return Promise.all(
    names.map(async (name) => ({
      file: `${basename(folder)}/${name}`,
      text: await loadPlainFile(join(folder, name)),
    })),
  );
}
