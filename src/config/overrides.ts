import type { DocumentPath } from '../document/problems.ts';
import { configJsonSchema } from './schema.ts';

/** One key that the environment or a flag sets. */
export interface Override {
  readonly path: DocumentPath;
  readonly value: unknown;
  /** `SALLYPORT_ADMIN__BIND`, `--set admin.bind`: for messages. The value is in none, it may be a secret. */
  readonly origin: string;
}

export interface OverrideProblem {
  readonly origin: string;
  readonly message: string;
}

export interface Overrides {
  readonly overrides: readonly Override[];
  readonly problems: readonly OverrideProblem[];
}

const prefix = 'SALLYPORT_';
/** Set by Kubernetes for each Service of a name that begins with ours, read by the commands, or set by image builders. */
const foreign = /^(?:CONFIG|VERSION|(?:.+_)?SERVICE_HOST|(?:.+_)?SERVICE_PORT(?:_.+)?|(?:.+_)?PORT(?:_.+)?)$/;
const deepest = 16;

/**
 * Overrides from `SALLYPORT_…` variables: `__` stands between the keys of a path, numbers are places in a list, and
 * case and single underscores do not matter (`SALLYPORT_AUDIT__ON_FAILURE` is `audit.onFailure`).
 *
 * @param referenced names that the file itself refers to with `${…}`: those are material, not overrides
 */
export function environmentOverrides(
  environment: Readonly<Record<string, string | undefined>>,
  referenced: ReadonlySet<string> = new Set(),
): Overrides {
  const overrides: Override[] = [];
  const problems: OverrideProblem[] = [];
  const schema = configJsonSchema();
  // Sorted: which of two variables came first must not depend on the shell.
  for (const name of Object.keys(environment).sort()) {
    const text = environment[name];
    if (!name.startsWith(prefix) || text === undefined || referenced.has(name)) continue;
    const rest = name.slice(prefix.length);
    if (!rest.includes('__') && foreign.test(rest)) continue;
    const steps = rest.split('__');
    const path = resolvePath(steps, schema);
    if (path === undefined) problems.push({ origin: name, message: 'not a path of configuration keys' });
    else overrides.push({ path, value: readValue(text), origin: name });
  }
  return { overrides, problems };
}

/** Overrides from `--set path=value`, keys as they are written in the file: `listeners.0.bind=127.0.0.1:8444`. */
export function flagOverrides(flags: readonly string[]): Overrides {
  const overrides: Override[] = [];
  const problems: OverrideProblem[] = [];
  for (const flag of flags) {
    const equals = flag.indexOf('=');
    const key = equals === -1 ? '' : flag.slice(0, equals);
    const origin = `--set ${key}`;
    const path = toPath(key.split('.'));
    if (equals === -1)
      problems.push({ origin: '--set', message: 'write PATH=VALUE, e.g. admin.bind=127.0.0.1:9091' });
    else if (path === undefined) problems.push({ origin, message: 'not a path of configuration keys' });
    else overrides.push({ path, value: readValue(flag.slice(equals + 1)), origin });
  }
  return { overrides, problems };
}

/**
 * Applies overrides to a value as the file gave it, later ones over earlier ones. Makes objects where they are
 * missing; a list grows by one entry at most, because a hole is never meant.
 */
export function applyOverrides(
  value: unknown,
  overrides: readonly Override[],
  report: (problem: OverrideProblem) => void,
): unknown {
  let result = value;
  for (const { path, value: leaf, origin } of overrides) {
    const next = withValue(result, path, leaf);
    if (next === undefined) report({ origin, message: 'there is no such place in the configuration' });
    else result = next.value;
  }
  return result;
}

/** The override that decided about this place, if any: the file's line would point at innocent text. */
export function originOf(
  path: string,
  overrides: readonly Override[],
  format: (path: DocumentPath) => string,
): string | undefined {
  return overrides.findLast((override) => {
    const own = format(override.path);
    return path === own || path.startsWith(`${own}.`) || path.startsWith(`${own}[`);
  })?.origin;
}

function withValue(
  node: unknown,
  path: DocumentPath,
  leaf: unknown,
): { readonly value: unknown } | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return { value: leaf };
  if (typeof step === 'number') {
    const list = node === undefined || node === null ? [] : node;
    if (!Array.isArray(list) || step > list.length) return undefined;
    const next = withValue(list[step], rest, leaf);
    return next && { value: [...list.slice(0, step), next.value, ...list.slice(step + 1)] };
  }
  if (Array.isArray(node) || (typeof node !== 'object' && node !== undefined)) return undefined;
  const members = (node ?? {}) as Record<string, unknown>;
  const next = withValue(Object.hasOwn(members, step) ? members[step] : undefined, rest, leaf);
  return next && { value: { ...members, [step]: next.value } };
}

/** Text, unless it is plainly something else: a number, true, false, null, or JSON. Quote a text of digits: `"123"`. */
function readValue(text: string): unknown {
  if (!/^(?:true|false|null|-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?|[[{"][\s\S]*)$/.test(text))
    return text;
  try {
    return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value));
  } catch {
    return text;
  }
}

function toPath(steps: readonly string[]): DocumentPath | undefined {
  if (steps.length > deepest) return undefined;
  const path: (string | number)[] = [];
  for (const step of steps) {
    if (/^(?:0|[1-9][0-9]{0,3})$/.test(step)) path.push(Number(step));
    else if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(step) && step !== 'constructor') path.push(step);
    else return undefined;
  }
  return path;
}

/** Finds the keys as the schema spells them. What it does not know goes on as written, for the schema to refuse. */
function resolvePath(steps: readonly string[], root: unknown): DocumentPath | undefined {
  let schemas: readonly JsonSchema[] = [root as JsonSchema];
  const spelled: string[] = [];
  for (const step of steps) {
    schemas = schemas.flatMap(alternatives);
    if (/^[0-9]+$/.test(step)) {
      spelled.push(step);
      schemas = schemas.flatMap((schema) => (schema.items === undefined ? [] : [schema.items]));
      continue;
    }
    const folded = fold(step);
    const key = schemas
      .flatMap((schema) => Object.keys(schema.properties ?? {}))
      .find((name) => fold(name) === folded);
    spelled.push(key ?? step.toLowerCase());
    schemas = schemas.flatMap((schema) => {
      const next = key === undefined ? undefined : schema.properties?.[key];
      return next === undefined ? [] : [next];
    });
  }
  return toPath(spelled);
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  return [
    schema,
    ...(schema.anyOf ?? []).flatMap(alternatives),
    ...(schema.allOf ?? []).flatMap(alternatives),
  ];
}

function fold(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
