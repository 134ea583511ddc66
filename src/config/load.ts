import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseDocument } from '../document/parse-document.ts';
import { formatPath, type Problem, sortProblems } from '../document/problems.ts';
import { crossChecks, type Finding, insecureWarnings } from './checks.ts';
import { fileReferences, inspectFiles, withAbsoluteFiles } from './files.ts';
import {
  applyOverrides,
  environmentOverrides,
  flagOverrides,
  type Override,
  type OverrideProblem,
  originOf,
} from './overrides.ts';
import { type Config, type GatewayFile, gatewayFileSchema } from './schema.ts';

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Findings about this configuration, each with its place in the file, or with the flag or variable that set it. */
      toProblems(findings: readonly Finding[]): readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads the gateway file and everything that decides about it, and checks all of it: shape, parts that need one
 * another, files that must be there.
 *
 * Precedence: default < file < environment (`SALLYPORT_…`) < flags. Gives every problem at once; never throws for
 * what an operator wrote.
 *
 * @param flags `path=value` each, from `--set`
 */
export async function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  flags: readonly string[] = [],
): Promise<LoadedConfig> {
  const path = resolve(file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { ok: false, problems: [problem(file, `the file cannot be read (${reason})`)] };
  }
  const referenced = new Set(
    [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name ?? ''),
  );
  const fromEnvironment = environmentOverrides(environment, referenced);
  const fromFlags = flagOverrides(flags);
  const overrides = [...fromEnvironment.overrides, ...fromFlags.overrides];
  const outside: OverrideProblem[] = [...fromEnvironment.problems, ...fromFlags.problems];
  const schema = z.preprocess(
    (value) => applyOverrides(value, overrides, (found) => outside.push(found)),
    gatewayFileSchema,
  );
  const parsed = parseDocument<GatewayFile>({ file, text }, schema, { environment });
  const problems = outside.map(({ origin, message }) => problem(origin, message));
  if (!parsed.ok) {
    return { ok: false, problems: sortProblems([...problems, ...attribute(parsed.problems, overrides)]) };
  }

  const folder = dirname(path);
  const config = withAbsoluteFiles(parsed.value, folder);
  const inspected = await inspectFiles(fileReferences(config));
  const findings = [...crossChecks(config), ...inspected.filter((finding) => finding.kind === 'problem')];
  const toProblems = (found: readonly Finding[]): readonly Problem[] => {
    const located = found.map(({ at, message }) => ({ ...parsed.locate(at), path: formatPath(at), message }));
    return sortProblems(attribute(located, overrides));
  };
  const all = sortProblems([...problems, ...toProblems(findings)]);
  if (all.length > 0) return { ok: false, problems: all };
  const warnings = [
    ...insecureWarnings(config),
    ...inspected.filter((finding) => finding.kind === 'warning').map(({ message }) => message),
  ];
  return { ok: true, config: deepFreeze({ ...config, file: path, folder, warnings }), toProblems };
}

function problem(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message };
}

/** Says where a value really came from: the file's line would point at innocent text. */
function attribute(problems: readonly Problem[], overrides: readonly Override[]): readonly Problem[] {
  return problems.map((found) => {
    const origin = originOf(found.path, overrides, formatPath);
    return origin === undefined ? found : { ...found, message: `${found.message} (set by ${origin})` };
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
