import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import { createContentChecks } from '../gateway/content-checks.ts';
import { loadPolicies } from '../gateway.ts';
import { runDecisionTable } from '../policy/decision-table.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { type Command, exitCodes, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';

export const checkCommand: Command = {
  summary: 'check the configuration, the policies and their decision tables',
  help: `Checks the gateway file, every policy file, the lock file of pins, canaries and every decision table, and starts
nothing.

Usage: sallyport check [--config FILE] [--tests FOLDER] [--set PATH=VALUE]...

${configOptionsHelp}
  --tests FOLDER      decision tables; default: the folder tests/ inside the policies folder, if there is one

All problems are printed at once, as file:line:column: path: message.
Exit code 0 where all is well, 1 where a decision table fails, 3 where the configuration or a policy is wrong.

Examples:
  sallyport check
  sallyport check --config /etc/sallyport/sallyport.yaml
  sallyport check --tests policies/tests
`,
  options: { ...configOptions, tests: { type: 'string' } },
  async run(values, _positionals, io) {
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    const compiled = await loadPolicies(config.policies);
    if (!compiled.ok) {
      for (const problem of compiled.problems) io.stderr(`${formatProblem(problem)}\n`);
      return exitCodes.configuration;
    }
    const problem = await contentProblem(config, compiled.policy);
    if (problem !== undefined) {
      io.stderr(`${problem}\n`);
      return exitCodes.configuration;
    }
    for (const warning of compiled.warnings) io.stderr(`warning: ${formatProblem(warning)}\n`);
    const folder = text(values, 'tests') ?? join(config.policies, 'tests');
    let passed = 0;
    let failed = 0;
    for (const file of await yamlFilesIn(folder, text(values, 'tests') !== undefined)) {
      const result = runDecisionTable({ file, text: await readFile(file, 'utf8') }, compiled.policy);
      if (!result.ok) {
        for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`);
        return exitCodes.configuration;
      }
      passed += result.passed;
      failed += result.failures.length;
      for (const failure of result.failures) io.stderr(`${formatProblem(failure)}\n`);
    }
    io.stdout(`configuration and policies are well; decision tables: ${passed} right, ${failed} wrong\n`);
    return failed === 0 ? exitCodes.ok : exitCodes.no;
  },
};

/** What a start would say of the files that checks of content read: the lock file, canaries, keys. */
async function contentProblem(config: Config, policy: CompiledPolicy): Promise<string | undefined> {
  const say = (): void => undefined;
  const log = { debug: say, info: say, warn: say, error: say, fatal: say };
  try {
    const checks = await createContentChecks(config, {
      ports: new Map(),
      log,
      policy: () => policy,
      onPinEvent: say,
    });
    await checks.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A folder that was asked for by name must exist; the default one may be absent. */
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
