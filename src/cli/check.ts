import { outputFindings } from '../config/output-checks.ts';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import { createContentChecks } from '../gateway/content-checks.ts';
import { fileProblems } from '../gateway/file-checks.ts';
import { loadPolicies } from '../gateway.ts';
import { formatWarning } from '../policy/lint/lint.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { type Command, exitCodes, text } from './command.ts';
import { configOptions, configOptionsHelp, readLocatedConfig } from './config-option.ts';
import { decisionTableFiles, runDecisionTables } from './decision-tables.ts';
import { policyWarnings } from './policy-warnings.ts';

export const checkCommand: Command = {
  summary: 'check the configuration, the policies and their decision tables',
  help: `Checks the gateway file, the certificates, keys and lists that it names, every policy file, the lock file of pins,
canaries and every decision table. Starts nothing and, without --live, asks nobody.

Usage: sallyport check [--config FILE] [--tests FOLDER] [--live] [--set PATH=VALUE]...

${configOptionsHelp}
  --tests FOLDER      decision tables; default: the folder tests/ inside the policies folder, if there is one
  --live              ask the upstreams for their tools, and warn of rules on tools that none of them lists

Run it as the user of the gateway: it looks whether the audit file and the control socket can be made.

All problems are printed at once, as file:line:column: path: message. Warnings are printed in the same way, each with its
code in brackets: rules that can never match, wildcards, trials that end; docs/policy.md lists them.
Exit code 0 where all is well, 1 where a decision table fails, 3 where the configuration or a policy is wrong.

Examples:
  sallyport check
  sallyport check --config /etc/sallyport/sallyport.yaml
  sallyport check --tests policies/tests
`,
  options: { ...configOptions, tests: { type: 'string' }, live: { type: 'boolean' } },
  async run(values, _positionals, io) {
    const loaded = await readLocatedConfig(values, io);
    if (loaded === undefined) return exitCodes.configuration;
    const { config } = loaded;
    const unwritable = loaded.toProblems(await outputFindings(config));
    for (const problem of unwritable) io.stderr(`${formatProblem(problem)}\n`);
    const unusable = await fileProblems(config);
    for (const problem of unusable) io.stderr(`${problem}\n`);
    const compiled = await loadPolicies(config.policies);
    if (!compiled.ok) {
      for (const problem of compiled.problems) io.stderr(`${formatProblem(problem)}\n`);
      return exitCodes.configuration;
    }
    if (unwritable.length + unusable.length > 0) return exitCodes.configuration;
    const problem = await contentProblem(config, compiled.policy);
    if (problem !== undefined) {
      io.stderr(`${problem}\n`);
      return exitCodes.configuration;
    }
    const warnings = await policyWarnings(config, compiled.warnings, values.live === true);
    for (const warning of warnings) io.stderr(`warning: ${formatWarning(warning)}\n`);
    const named = text(values, 'tests');
    const files = await decisionTableFiles(named === undefined ? [] : [named], config.policies);
    const { passed, failures, problems } = await runDecisionTables(files, compiled.policy);
    for (const found of [...problems, ...failures]) io.stderr(`${formatProblem(found)}\n`);
    if (problems.length > 0) return exitCodes.configuration;
    const failed = failures.length;
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
      onBound: say,
    });
    await checks.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
