import { formatProblem } from '../document/problems.ts';
import { loadPolicies } from '../gateway.ts';
import { type Command, exitCodes } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { decisionTableFiles, runDecisionTables } from './decision-tables.ts';

export const testCommand: Command = {
  summary: 'run the decision tables of the policies',
  help: `Runs decision tables against the policies: who may do what, case by case, as docs/policy.md describes them.

Usage: sallyport test [FILE|FOLDER]... [--config FILE] [--json]

  FILE, FOLDER        decision tables; default: the folder tests/ inside the policies folder
  --json              the result as JSON
${configOptionsHelp}

Nothing is started and nobody is asked. A case that comes out otherwise is printed with its place and with what the
policies say instead.
Exit code 0 where every case comes out as written, 1 where one does not or there is none, 3 where a file is wrong.

Examples:
  sallyport test
  sallyport test policies/tests/callers.yaml
  sallyport test --config /etc/sallyport/sallyport.yaml --json
`,
  options: { ...configOptions, json: { type: 'boolean' } },
  async run(values, positionals, io) {
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    const compiled = await loadPolicies(config.policies);
    if (!compiled.ok) {
      for (const problem of compiled.problems) io.stderr(`${formatProblem(problem)}\n`);
      return exitCodes.configuration;
    }
    const files = await decisionTableFiles(positionals, config.policies);
    const { passed, failures, problems } = await runDecisionTables(files, compiled.policy);
    if (problems.length > 0) {
      for (const problem of problems) io.stderr(`${formatProblem(problem)}\n`);
      return exitCodes.configuration;
    }
    if (values['json'] === true) {
      const result = { files: files.length, right: passed, wrong: failures.length, failures };
      io.stdout(`${JSON.stringify(result, null, 2)}\n`);
    } else {
      for (const failure of failures) io.stderr(`${formatProblem(failure)}\n`);
      io.stdout(`decision tables: ${files.length}; cases: ${passed} right, ${failures.length} wrong\n`);
    }
    // A table that is not there proves nothing: a mistyped folder must not pass for a green run.
    return failures.length === 0 && passed > 0 ? exitCodes.ok : exitCodes.no;
  },
};
