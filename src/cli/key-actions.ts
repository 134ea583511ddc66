import { FileLocked, withFileLock } from '../config/file-lock.ts';
import { readIfThere, replaceFile } from '../config/replace-file.ts';
import type { ApiKeyEntry } from '../identity/api-key-file.ts';
import { apiKeyPrefix, createApiKey } from '../identity/api-key-format.ts';
import { type CommandIo, exitCodes } from './command.ts';
import { changeKeys, denyKeys, type KeyChange, keysOf, UnfitFile } from './key-edits.ts';

/** What an action of `keys` was told. */
export interface KeyTask {
  readonly io: CommandIo;
  /** The key file. */
  readonly file: string;
  /** The deny list to write as well; undefined for none. */
  readonly denyFile: string | undefined;
  readonly json: boolean;
  readonly roles: readonly string[];
  /** When a new key expires, milliseconds since the epoch. Undefined where nothing was said. */
  readonly expiresAt: number | undefined;
  /** How long keys that are replaced go on, in milliseconds. */
  readonly grace: number;
  readonly reason: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Group may read: a gateway that runs as another user must not lose its file. Nobody else may. */
const keyFileMode = { newMode: 0o600, keptMode: 0o640 };

/** The end of the year 9999: what comes after has no four digits, and no file could hold it. */
const latestTime = Date.UTC(9999, 11, 31);

export async function createKey(name: string, task: KeyTask): Promise<number> {
  return changing(task, (keys) => {
    const alive = keys.filter((entry) => entry.name === name && !isExpired(entry, task.now));
    if (alive.length > 0) {
      task.io.stderr(`${name} has a key already: \`sallyport keys rotate\` replaces it\n`);
      return exitCodes.no;
    }
    return issue(name, task, task.roles, task.expiresAt, keys);
  });
}

export async function rotateKey(name: string, task: KeyTask): Promise<number> {
  return changing(task, (keys) => {
    const old = keys.filter((entry) => entry.name === name);
    const newest = old.at(-1);
    if (newest === undefined) {
      task.io.stderr(`no key is named ${name}\n`);
      return exitCodes.no;
    }
    const end = task.now + task.grace;
    const expiring = new Map(
      old
        .filter(({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > end)
        .map(({ prefix }) => [prefix, new Date(end).toISOString()]),
    );
    // A rotation must not make a key that expires into one that never does.
    const expiresAt = task.expiresAt ?? sameLifetime(newest, task.now);
    if (expiresAt !== undefined && !(expiresAt > task.now && expiresAt <= latestTime)) {
      task.io.stderr(
        `${name}: how long a new key should live cannot be told from the old one: say --expires\n`,
      );
      return exitCodes.usage;
    }
    const roles = task.roles.length > 0 ? task.roles : (newest.roles ?? []);
    return issue(name, task, roles, expiresAt, keys, expiring);
  });
}

/** @param given a name, a prefix, `spk_` and a prefix, or a whole key that has leaked */
export async function revokeKeys(given: string, task: KeyTask): Promise<number> {
  const { io, denyFile } = task;
  const leaked = apiKeyPrefix(given);
  const written: string[] = [];
  const which = leaked === undefined ? given : `spk_${leaked}`;
  return changing(
    task,
    async (keys) => {
      const found = keysNamed(which, keys);
      if (found === 'ambiguous') {
        io.stderr(
          `${which} is the name of one key and the prefix of another: say spk_${which} for the prefix\n`,
        );
        return exitCodes.usage;
      }
      const prefix = /^spk_([a-z0-9]{8})$/.exec(which)?.[1];
      const revoked = found.length > 0 ? found : prefix === undefined ? [] : [{ prefix, name: undefined }];
      if (found.length === 0 && (prefix === undefined || denyFile === undefined)) {
        io.stderr(`no key has this name or prefix\n`);
        return exitCodes.no;
      }
      // The list first: if the second step fails, the key is revoked all the same.
      if (denyFile !== undefined) {
        const at = new Date(task.now).toISOString();
        const entries = revoked.map((entry) => ({
          prefix: entry.prefix,
          reason: task.reason ?? `key ${entry.name ?? '(not in the key file)'}`,
          at,
        }));
        await withFileLock(denyFile, async () => {
          const before = await readIfThere(denyFile);
          await put(denyFile, denyKeys(denyFile, before, entries), before, { newMode: 0o644 });
        });
        written.push(denyFile);
      }
      return {
        removed: new Set(found.map((entry) => entry.prefix)),
        told() {
          for (const { prefix, name } of revoked)
            io.stdout(`revoked: ${name ?? '(not in the key file)'} spk_${prefix}\n`);
        },
      };
    },
    written,
  );
}

function keysNamed(which: string, keys: readonly ApiKeyEntry[]): readonly ApiKeyEntry[] | 'ambiguous' {
  const marked = /^spk_([a-z0-9]{8})$/.exec(which)?.[1];
  if (marked !== undefined) return keys.filter(({ prefix }) => prefix === marked);
  const named = keys.filter(({ name }) => name === which);
  const prefixed = keys.filter(({ prefix }) => prefix === which);
  if (named.length > 0 && prefixed.some((entry) => !named.includes(entry))) return 'ambiguous';
  return named.length > 0 ? named : prefixed;
}

function issue(
  name: string,
  { io, json, now, file }: KeyTask,
  roles: readonly string[],
  expiresAt: number | undefined,
  keys: readonly ApiKeyEntry[],
  expiring: ReadonlyMap<string, string> = new Map(),
): KeyChange & { told(): void } {
  let made = createApiKey(name);
  while (keys.some(({ prefix }) => prefix === made.entry.prefix)) made = createApiKey(name);
  const entry: ApiKeyEntry = {
    ...made.entry,
    createdAt: new Date(now).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
    ...(roles.length === 0 ? {} : { roles: [...roles] }),
  };
  return {
    added: [entry],
    expiring,
    // Only once the file is written: a key that is shown is one that works.
    told() {
      const { hash: _, ...shown } = entry;
      if (json) {
        io.stdout(`${JSON.stringify({ key: made.key, ...shown, file })}\n`);
        return;
      }
      io.stdout(`${made.key}\n`);
      io.stderr(
        `${name}, spk_${entry.prefix}: written to ${file}. The key is shown this once and kept nowhere.\n`,
      );
      for (const [prefix, end] of expiring) io.stderr(`spk_${prefix} goes on until ${end}\n`);
    },
  };
}

type Planned = number | (KeyChange & { told?(): void });

/**
 * Reads the key file, lets `plan` say what is to change, and writes it. One command at a time.
 *
 * @param written other files that `plan` has written by then
 */
async function changing(
  task: KeyTask,
  plan: (keys: readonly ApiKeyEntry[]) => Planned | Promise<Planned>,
  written: readonly string[] = [],
): Promise<number> {
  const { file, io } = task;
  try {
    return await withFileLock(file, async () => {
      const text = await readIfThere(file);
      const planned = await plan(keysOf({ file, text }));
      if (typeof planned === 'number') return planned;
      const isChange = (planned.added?.length ?? 0) + (planned.removed?.size ?? 0) > 0;
      if (isChange) await put(file, changeKeys(file, text, planned), text, keyFileMode);
      planned.told?.();
      return exitCodes.ok;
    });
  } catch (error) {
    if (!(error instanceof UnfitFile || error instanceof FileLocked)) throw error;
    const done = written.length === 0 ? 'nothing was written' : `only ${written.join(', ')} was written`;
    io.stderr(`${error.message}\n${done}\n`);
    return exitCodes.configuration;
  }
}

async function put(
  file: string,
  text: string,
  before: string | undefined,
  rules: { readonly newMode: number; readonly keptMode?: number },
): Promise<void> {
  if (!(await replaceFile(file, text, before, rules))) throw new UnfitFile(`${file}: was changed meanwhile`);
}

export function isExpired({ expiresAt }: ApiKeyEntry, now: number): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= now;
}

function sameLifetime({ createdAt, expiresAt }: ApiKeyEntry, now: number): number | undefined {
  if (expiresAt === undefined) return undefined;
  // Without a beginning its length is not known: until the old one would have ended.
  return createdAt === undefined
    ? Date.parse(expiresAt)
    : now + Date.parse(expiresAt) - Date.parse(createdAt);
}
