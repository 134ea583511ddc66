import type { ZodType } from 'zod';
import type { Environment } from './interpolate.ts';
import { type DocumentPath, formatPath, type Problem, sortProblems } from './problems.ts';
import { readYaml, type SourceTree } from './read-yaml.ts';
import { schemaFaults } from './schema-faults.ts';

export type { Problem } from './problems.ts';
export { formatProblem } from './problems.ts';

export interface DocumentSource {
  /** How problems name the file. */
  readonly file: string;
  readonly text: string;
}

export interface Location {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

/** Where a member stands, and its own members by key or index. */
export interface Outline {
  readonly line: number;
  readonly column: number;
  readonly children?: Readonly<Record<string, Outline>>;
}

export type ParsedDocument<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Where a member stands: its key, or the start of a list's item. The nearest known parent where it is absent. */
      locate(path: DocumentPath): Location;
      /** All places at once, as plain values. */
      outline(): Outline;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads one YAML 1.2 file (JSON is YAML) against a schema and gives the value, or every problem at once with its
 * place.
 *
 * Repeated keys, unknown tags, more than one document, `__proto__` keys and alias bombs are problems. Keys are
 * strings. Unknown keys of strict objects come with a suggestion.
 *
 * @param options.exactNumbers integers beyond 2^53 become an `ExactNumber` instead of the nearest double
 * @param options.environment where given, `${NAME}`, `${NAME:-default}` and `${NAME:?message}` are filled in scalar
 *   values, never in keys, after parsing: a value cannot add structure. Where absent, `${` is ordinary text.
 */
export function parseDocument<T>(
  source: DocumentSource,
  schema: ZodType<T>,
  options: { readonly environment?: Environment; readonly exactNumbers?: boolean } = {},
): ParsedDocument<T> {
  const { file } = source;
  const read = readYaml(source.text, options.environment, options.exactNumbers);
  const problemAt = (offset: number, path: DocumentPath, message: string): Problem => ({
    file,
    ...read.position(offset),
    path: formatPath(path),
    message,
  });
  const problems = read.faults.map((fault) => problemAt(fault.offset, fault.path, fault.message));
  if (read.tree === undefined) return { ok: false, problems: sortProblems(problems) };

  const { tree } = read;
  const checked = schemaFaults(schema, tree.value);
  if (checked.ok && problems.length === 0) {
    return {
      ok: true,
      value: checked.value,
      locate: (path) => ({ file, ...read.position(nearest(tree, path).keyOffset) }),
      outline: () => outlineOf(tree, read.position),
    };
  }
  if (!checked.ok) {
    for (const fault of checked.faults) {
      // A value that could not be filled in has been reported already: what the schema says of its absence is noise.
      if (read.unfilled.has(formatPath(fault.path))) continue;
      const place = nearest(tree, fault.path);
      problems.push(problemAt(fault.atKey ? place.keyOffset : place.valueOffset, fault.path, fault.message));
    }
  }
  return { ok: false, problems: sortProblems(problems) };
}

function outlineOf(
  { keyOffset, children }: SourceTree,
  position: (offset: number) => { readonly line: number; readonly column: number },
): Outline {
  if (children === undefined) return position(keyOffset);
  const members = [...children].map(([key, child]) => [key, outlineOf(child, position)] as const);
  return { ...position(keyOffset), children: Object.fromEntries(members) };
}

/** A document that was parsed elsewhere. */
export function toParsedDocument<T>(
  file: string,
  value: T,
  outline: Outline,
): Extract<ParsedDocument<T>, { ok: true }> {
  return {
    ok: true,
    value,
    locate(path) {
      let place = outline;
      for (const step of path) {
        const { children } = place;
        if (children === undefined || !Object.hasOwn(children, step)) break;
        place = children[step]!;
      }
      return { file, line: place.line, column: place.column };
    },
    outline: () => outline,
  };
}

function nearest(tree: SourceTree, path: DocumentPath): SourceTree {
  let place = tree;
  for (const step of path) {
    const next = place.children?.get(step);
    if (next === undefined) break;
    place = next;
  }
  return place;
}
