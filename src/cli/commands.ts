import { type Command, type CommandIo, exitCodes, invoke } from './command.ts';

/**
 * Every command, in the order in which the help lists them. Each is loaded when it is asked for: the primary of several
 * workers needs a fraction of what one of them does, and a health check of a container next to nothing.
 */
export const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['run', async () => (await import('./run.ts')).runCommand],
  ['check', async () => (await import('./check.ts')).checkCommand],
  ['test', async () => (await import('./test.ts')).testCommand],
  ['explain', async () => (await import('./explain.ts')).explainCommand],
  ['diff', async () => (await import('./diff.ts')).diffCommand],
  ['learn', async () => (await import('./learn.ts')).learnCommand],
  ['scaffold', async () => (await import('./scaffold.ts')).scaffoldCommand],
  ['pin', async () => (await import('./pin.ts')).pinCommand],
  ['roles', async () => (await import('./roles.ts')).rolesCommand],
  ['approve', async () => (await import('./approve.ts')).approveCommand],
  ['keys', async () => (await import('./keys.ts')).keysCommand],
  ['blocks', async () => (await import('./blocks.ts')).blocksCommand],
  ['generate-certs', async () => (await import('./generate-certs.ts')).generateCertsCommand],
  ['healthcheck', async () => (await import('./healthcheck.ts')).healthcheckCommand],
] satisfies [string, () => Promise<Command>][]);

async function overview(): Promise<string> {
  const lines = await Promise.all(
    [...commands].map(async ([name, load]) => `  ${name.padEnd(16)}${(await load()).summary}`),
  );
  return `Sallyport: a guarded door in front of MCP servers.

Usage: sallyport COMMAND [options]

${lines.join('\n')}

sallyport COMMAND --help tells more, with examples.

Exit codes: 0 done, 1 the answer is no, 2 wrong command line, 3 wrong configuration.
`;
}

/** @returns the exit code */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout(await overview());
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const load = commands.get(name);
  if (load === undefined) {
    io.stderr(`There is no command ${JSON.stringify(name)}.\n\n${await overview()}`);
    return exitCodes.usage;
  }
  return invoke(await load(), rest, io);
}
