import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../document/problems.ts';
import { runDecisionTable } from '../policy/decision-table.ts';
import type { CompiledPolicy } from '../policy/model.ts';

/** All decision tables together. */
export interface TablesResult {
  readonly files: number;
  readonly passed: number;
  /** One for each case that came out otherwise. */
  readonly failures: readonly Problem[];
  /** What is wrong with files that are no decision tables. */
  readonly problems: readonly Problem[];
}

export async function runDecisionTables(
  files: readonly string[],
  policy: CompiledPolicy,
): Promise<TablesResult> {
  const failures: Problem[] = [];
  const problems: Problem[] = [];
  let passed = 0;
  for (const file of files) {
    const result = runDecisionTable({ file, text: await readFile(file, 'utf8') }, policy);
    if (!result.ok) problems.push(...result.problems);
    else {
      passed += result.passed;
      failures.push(...result.failures);
    }
  }
  return { files: files.length, passed, failures, problems };
}

/**
 * The tables to run: those named, files or folders, or else those in `tests/` inside the policies folder.
 *
 * @throws Error of the file system for a name that does not exist; the default folder may be absent
 */
export async function decisionTableFiles(
  named: readonly string[],
  policies: string,
): Promise<readonly string[]> {
  if (named.length === 0) return yamlFilesIn(join(policies, 'tests'), false);
  const files: string[] = [];
  for (const name of named) {
    if ((await stat(name)).isDirectory()) files.push(...(await yamlFilesIn(name, true)));
    else files.push(name);
  }
  return files;
}

async function yamlFilesIn(folder: string, required: boolean): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith('.yaml') || name.endsWith('.yml'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (!required && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
