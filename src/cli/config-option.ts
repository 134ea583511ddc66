import type { ParseArgsOptionsConfig } from 'node:util';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import { type CommandIo, type CommandValues, text } from './command.ts';

/** The options by which every command finds its configuration. */
export const configOptions: ParseArgsOptionsConfig = {
  config: { type: 'string', short: 'c' },
  set: { type: 'string', multiple: true },
};

export const configOptionsHelp = `  -c, --config FILE   the gateway file; default $SALLYPORT_CONFIG, else sallyport.yaml
  --set PATH=VALUE    overrides one key, e.g. --set listeners.0.bind=127.0.0.1:8444; may be repeated

  A key may also be set by the environment: SALLYPORT_ADMIN__BIND is admin.bind.
  Precedence: default < file < environment < --set.`;

type Loaded = Extract<LoadedConfig, { ok: true }>;

/**
 * Loads the gateway file that the command line names, and writes every problem and warning to standard error.
 *
 * @returns undefined where it is wrong
 */
export async function readConfig(values: CommandValues, io: CommandIo): Promise<Config | undefined> {
  return (await readLocatedConfig(values, io))?.config;
}

/** As {@link readConfig}, with what tells the place of a finding about it. */
export async function readLocatedConfig(values: CommandValues, io: CommandIo): Promise<Loaded | undefined> {
  const file = text(values, 'config') ?? io.environment['SALLYPORT_CONFIG'] ?? 'sallyport.yaml';
  const flags = (values['set'] ?? []) as readonly string[];
  const loaded = await loadConfig(file, io.environment, flags);
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
    return undefined;
  }
  for (const warning of loaded.config.warnings) io.stderr(`warning: ${warning}\n`);
  return loaded;
}
