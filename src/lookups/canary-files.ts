import { readPlainFile } from '../document/plain-file.ts';

/** One entry of `canaries:` with an absolute path. */
export interface CanaryFile {
  readonly name: string;
  readonly file: string;
  readonly results: 'alert' | 'refuse';
}

export interface CanaryValue {
  readonly name: string;
  readonly value: string;
  readonly results: 'alert' | 'refuse';
}

/**
 * Reads values that must never leave, one a line; lines without any are skipped.
 *
 * @throws Error naming a file that holds none, or an error of the file system
 */
export function readCanaryFiles(files: readonly CanaryFile[]): readonly CanaryValue[] {
  return files.flatMap(({ name, file, results }) => {
    const values = readPlainFile(file)
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (values.length === 0) throw new Error(`${file}: there is no canary in it`);
    return values.map((value) => ({ name, value, results }));
  });
}
