import { approveCommand } from './approve.ts';
import { blocksCommand } from './blocks.ts';
import { checkCommand } from './check.ts';
import { type Command, type CommandIo, exitCodes, invoke } from './command.ts';
import { diffCommand } from './diff.ts';
import { explainCommand } from './explain.ts';
import { generateCertsCommand } from './generate-certs.ts';
import { healthcheckCommand } from './healthcheck.ts';
import { keysCommand } from './keys.ts';
import { learnCommand } from './learn.ts';
import { pinCommand } from './pin.ts';
import { rolesCommand } from './roles.ts';
import { runCommand as serveCommand } from './run.ts';
import { scaffoldCommand } from './scaffold.ts';
import { testCommand } from './test.ts';

/** Every command, in the order in which the help lists them. */
export const commands: ReadonlyMap<string, Command> = new Map([
  ['run', serveCommand],
  ['check', checkCommand],
  ['test', testCommand],
  ['explain', explainCommand],
  ['diff', diffCommand],
  ['learn', learnCommand],
  ['scaffold', scaffoldCommand],
  ['pin', pinCommand],
  ['roles', rolesCommand],
  ['approve', approveCommand],
  ['keys', keysCommand],
  ['blocks', blocksCommand],
  ['generate-certs', generateCertsCommand],
  ['healthcheck', healthcheckCommand],
]);

const overview = `Sallyport: a guarded door in front of MCP servers.

Usage: sallyport COMMAND [options]

${[...commands].map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`).join('\n')}

sallyport COMMAND --help tells more, with examples.

Exit codes: 0 done, 1 the answer is no, 2 wrong command line, 3 wrong configuration.
`;

/** @returns the exit code */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout(overview);
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const command = commands.get(name);
  if (command === undefined) {
    io.stderr(`There is no command ${JSON.stringify(name)}.\n\n${overview}`);
    return exitCodes.usage;
  }
  return invoke(command, rest, io);
}
