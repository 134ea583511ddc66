import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { duration } from '../document/units.ts';
import { apiKeyRole } from '../identity/api-key-file.ts';
import { apiKeyName } from '../identity/api-key-format.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { createKey, type KeyTask, revokeKeys, rotateKey } from './key-actions.ts';
import { listKeys } from './key-list.ts';

const dayMs = 86_400_000;
const lifetime = duration({ min: 1000, max: 3650 * dayMs });
const graceTime = duration({ max: 90 * dayMs });

export const keysCommand: Command = {
  summary: 'create, list, rotate and revoke API keys',
  help: `Manages the key file of API keys. It holds hashes: a key is shown when it is made, on standard output, and never again.

Usage: sallyport keys create NAME [--expires WHEN] [--role ROLE]... [--json] [--file FILE]
       sallyport keys list [--json] [--file FILE]
       sallyport keys rotate NAME [--grace DURATION] [--expires WHEN] [--json] [--file FILE]
       sallyport keys revoke NAME|PREFIX [--deny] [--reason TEXT] [--file FILE]

  --expires WHEN      a time span such as 90d, or a time such as 2027-01-31T00:00:00Z; default: never, and after a
                      rotation as long as the key before
  --role ROLE         a role of the policies that the key gives; may be repeated
  --grace DURATION    how long the old key goes on beside the new one; default 24h, at most 90d, 0 for not at all
  --deny              also writes the deny list (revocations.file): the key stays out even if an old key file comes back
  --deny-file FILE    the same, to this deny list
  --reason TEXT       why, for the deny list
  --json              one line of JSON for each key
  --file FILE         the key file; default: identity.apiKeys.file of the gateway file. \`create\` makes one
${configOptionsHelp}

A prefix is the eight characters after spk_. A running gateway takes up the change by itself (reload.watch), or at SIGHUP.
Exit code 0, 1 where there is no such key or there is one already, 2 wrong command line, 3 where a file is wrong.

Examples:
  sallyport keys create nightly-report --expires 90d --role reporter
  sallyport keys rotate nightly-report --grace 24h
  sallyport keys revoke spk_4f9c2a7e --deny --reason "found in a log"
`,
  options: {
    ...configOptions,
    expires: { type: 'string' },
    role: { type: 'string', multiple: true },
    grace: { type: 'string' },
    deny: { type: 'boolean' },
    'deny-file': { type: 'string' },
    reason: { type: 'string' },
    json: { type: 'boolean' },
    file: { type: 'string' },
  },
  async run(values, positionals, io) {
    const [action = '', name, ...rest] = positionals;
    const row = actions.get(action);
    if (row === undefined) {
      io.stderr(`Say what to do: create, list, rotate or revoke\n\n${keysCommand.help}`);
      return exitCodes.usage;
    }
    const told = readTask(values, Date.now());
    const problem =
      typeof told === 'string'
        ? told
        : (unfitOption(action, values) ?? (rest.length > 0 ? 'One name at a time' : row.problem(name)));
    if (typeof told === 'string' || problem !== undefined) {
      io.stderr(`${problem}\n`);
      return exitCodes.usage;
    }
    const files = await findFiles(values, io);
    if (files === undefined) return exitCodes.configuration;
    return row.run(name ?? '', { ...told, ...files, io });
  },
};

interface Action {
  /** What is wrong with the name that was given. */
  problem(name: string | undefined): string | undefined;
  run(name: string, task: KeyTask): Promise<number>;
  readonly options: readonly string[];
}

const named = (name: string | undefined): string | undefined =>
  name !== undefined && apiKeyName.test(name)
    ? undefined
    : 'Give a name: letters, digits, . _ - (at most 128)';

/** A new name must not look like a prefix or a key: nobody could say which of the two to revoke, and a key is no name. */
const newName = (name: string | undefined): string | undefined =>
  named(name) ??
  (/^spk_/i.test(name ?? '')
    ? 'A name that begins with spk_ would be taken for a key or its prefix'
    : undefined);

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['create', { problem: newName, run: createKey, options: ['expires', 'role', 'json'] }],
  [
    'list',
    {
      problem: (name) => (name === undefined ? undefined : 'list takes no name'),
      run: (_, task) => listKeys(task),
      options: ['json'],
    },
  ],
  ['rotate', { problem: named, run: rotateKey, options: ['expires', 'role', 'grace', 'json'] }],
  ['revoke', { problem: named, run: revokeKeys, options: ['deny', 'deny-file', 'reason'] }],
]);

const everywhere: readonly string[] = ['config', 'set', 'file'];

/** An option that would do nothing: whoever gave it meant something. */
function unfitOption(action: string, values: CommandValues): string | undefined {
  const fits = [...everywhere, ...(actions.get(action)?.options ?? [])];
  const unfit = Object.keys(values).find((option) => values[option] !== undefined && !fits.includes(option));
  if (unfit !== undefined) return `--${unfit} does not go with ${action}`;
  const denies = values['deny'] === true || values['deny-file'] !== undefined;
  return values['reason'] !== undefined && !denies ? '--reason goes with --deny' : undefined;
}

/** What the options say, or what is wrong with them. */
function readTask(values: CommandValues, now: number): Omit<KeyTask, 'io' | 'file' | 'denyFile'> | string {
  const grace = graceTime.safeParse(text(values, 'grace') ?? '24h');
  if (!grace.success) return `--grace: ${grace.error.issues[0]?.message}`;
  const expiresAt = readExpiry(text(values, 'expires'), now);
  if (typeof expiresAt === 'string') return `--expires: ${expiresAt}`;
  const roles = [...new Set((values['role'] ?? []) as readonly string[])];
  if (roles.length > 64 || !roles.every((role) => apiKeyRole.safeParse(role).success)) {
    return '--role: not a role name (letters, digits, _ . -), or more than 64 of them';
  }
  const reason = text(values, 'reason');
  if (reason !== undefined && reason.length > 500) return '--reason: at most 500 characters';
  return { json: values['json'] === true, roles, expiresAt, grace: grace.data, reason, now };
}

/** @returns milliseconds since the epoch, or what is wrong */
function readExpiry(written: string | undefined, now: number): number | undefined | string {
  if (written === undefined) return undefined;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/.test(written)) {
    const time = Date.parse(written);
    if (Number.isNaN(time)) return 'there is no such time';
    // Otherwise 30 February would be read as 2 March.
    const day = Number(written.slice(8, 10));
    const [year, month] = [Number(written.slice(0, 4)), Number(written.slice(5, 7))];
    if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return 'there is no such time';
    return time > now ? time : 'is in the past';
  }
  const span = lifetime.safeParse(written);
  if (span.success) return now + span.data;
  return 'expected a time span such as 90d, or a time with its zone such as 2027-01-31T00:00:00Z';
}

/** @returns undefined where the configuration is wrong or names no such file; that has been said then */
async function findFiles(
  values: CommandValues,
  io: CommandIo,
): Promise<Pick<KeyTask, 'file' | 'denyFile'> | undefined> {
  const file = text(values, 'file');
  const denyFile = text(values, 'deny-file');
  const needsConfig = file === undefined || (values['deny'] === true && denyFile === undefined);
  const config = needsConfig ? await readConfig(values, io) : undefined;
  if (needsConfig && config === undefined) return undefined;
  const keyFile = file === undefined ? keyFileOf(config) : resolve(file);
  if (keyFile === undefined) {
    io.stderr('The gateway file has no API keys (identity.apiKeys.file): name a file with --file.\n');
    return undefined;
  }
  if (denyFile !== undefined) return { file: keyFile, denyFile: resolve(denyFile) };
  const denied = values['deny'] === true ? config?.revocations?.file : undefined;
  if (values['deny'] === true && denied === undefined) {
    io.stderr('The gateway file names no deny list (revocations.file): name one with --deny-file.\n');
    return undefined;
  }
  return { file: keyFile, denyFile: denied };
}

function keyFileOf(config: Config | undefined): string | undefined {
  return config?.identity.find(({ apiKeys }) => apiKeys !== undefined)?.apiKeys?.file;
}
