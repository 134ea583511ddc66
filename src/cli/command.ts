import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** Where a command writes, and what it may read of its surroundings. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Exit codes of every command. */
export const exitCodes = {
  ok: 0,
  /** The command ran, and the answer is no: a failed decision table, a gateway that is not ready. */
  no: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration, a policy or a file that it names is wrong: nothing was started. */
  configuration: 3,
} as const;

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole help text, with three examples to copy. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  /** Commands below this one, each with options and help of its own; taken where the first argument is their name. */
  readonly subcommands?: ReadonlyMap<string, Command>;
  /** Resolves to the exit code. */
  run(values: CommandValues, positionals: readonly string[], io: CommandIo): Promise<number>;
}

export type CommandValues = Readonly<
  Record<string, string | boolean | readonly (string | boolean)[] | undefined>
>;

/** Parses the command line of one command and runs it. `--help` is answered before anything else is looked at. */
export async function invoke(command: Command, argv: readonly string[], io: CommandIo): Promise<number> {
  const below = argv[0] === undefined ? undefined : command.subcommands?.get(argv[0]);
  if (below !== undefined) return invoke(below, argv.slice(1), io);
  let parsed: { values: CommandValues; positionals: string[] };
  try {
    const options = { ...command.options, help: { type: 'boolean', short: 'h' } } as const;
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    io.stderr(`${(error as Error).message}\n\n${command.help}`);
    return exitCodes.usage;
  }
  if (parsed.values['help'] === true) {
    io.stdout(command.help);
    return exitCodes.ok;
  }
  try {
    return await command.run(parsed.values, parsed.positionals, io);
  } catch (error) {
    // A file that is missing or cannot be read is the operator's to mend: one line, no stack.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    io.stderr(`${(error as Error).message}\n`);
    return exitCodes.configuration;
  }
}

/** An option's value as text. @throws TypeError where the parser was told otherwise */
export function text(values: CommandValues, name: string): string | undefined {
  const value = values[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new TypeError(`--${name} is not a text option`);
}

/** JSON for a file or a screen: everything outside printable ASCII is escaped, so that no name acts on a terminal. */
export function jsonLines(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
