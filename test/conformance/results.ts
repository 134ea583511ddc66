/** Reads what the suite wrote: one folder for each scenario, `checks.json` inside. Its printed summary is not trusted. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { knownWarnings } from './expectations.ts';

export interface ScenarioResult {
  readonly scenario: string;
  readonly succeeded: number;
  /** Checks that failed or warned, each with its reason. */
  readonly problems: readonly string[];
  /** Warnings that are known and meant, each with its reason. */
  readonly notes: readonly string[];
}

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

/**
 * Reads all results in a folder.
 *
 * @param prefix what the suite puts before the scenario's name: `server-`, or nothing for client scenarios
 */
export async function readResults(directory: string, prefix: string): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const name of await readdir(directory)) {
    const match = /^(?<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name);
    const scenario = match?.groups?.['scenario'];
    if (scenario === undefined || !scenario.startsWith(prefix)) continue;
    const checks = JSON.parse(await readFile(join(directory, name, 'checks.json'), 'utf8')) as Check[];
    const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    const isKnown = ({ id, status }: Check) => status === 'WARNING' && knownWarnings.has(id);
    results.push({
      scenario: scenario.slice(prefix.length),
      succeeded: checks.filter(({ status }) => status === 'SUCCESS').length,
      problems: bad
        .filter((check) => !isKnown(check))
        .map(({ id, status, errorMessage }) => `${id}: ${status} ${errorMessage ?? ''}`.trim()),
      notes: bad.filter(isKnown).map(({ id }) => `${id}: ${knownWarnings.get(id)}`),
    });
  }
  return results;
}

/** A scenario passes with at least one success, no failure and no unknown warning. */
export function hasPassed(result: ScenarioResult): boolean {
  return result.succeeded > 0 && result.problems.length === 0;
}
