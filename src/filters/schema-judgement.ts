import type { ErrorCode, PublicErrorData } from '../errors.ts';
import { eraOf, type Revision } from '../mcp/revision.ts';
import type { SchemaCompilation } from '../schemas/compile-schema.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import type { SchemaRules } from './schema-rules.ts';

/** Something that does not fit a tool's definition. */
export interface Judgement {
  readonly code: ErrorCode;
  readonly finding: { readonly path: string | undefined; readonly detail: string };
  /** What the caller may know beside the code. */
  readonly data: PublicErrorData | undefined;
  /** Which setting decides what becomes of it. */
  readonly of: 'schema' | 'unknown';
}

/** Where a fault is about all arguments together. */
const wholeArguments = '(arguments)';

/** Judges arguments against the tool's input schema, and their names against what anything names. */
export function judgeArguments(
  args: JsonObject,
  input: SchemaCompilation,
  rules: SchemaRules,
): Judgement | undefined {
  if (rules.schema.effect === undefined) return undeclared(firstUnnamed(args, rules));
  if (!input.ok) {
    return {
      code: 'arguments-invalid',
      finding: { path: input.path || undefined, detail: `schema-${input.reason}` },
      data: { path: wholeArguments, keyword: 'schema', fault: input.reason, allow: 'schema: alert' },
      of: 'schema',
    };
  }
  const looksForUnknown = rules.unknown.effect !== undefined;
  if (looksForUnknown && input.schema.fits(args, rules.named)) return undefined;
  const fault = input.schema.judge(args);
  if (fault !== undefined) {
    const path = fault.path || wholeArguments;
    return {
      code: 'arguments-invalid',
      finding: { path, detail: fault.keyword },
      data: { path, keyword: fault.keyword },
      of: 'schema',
    };
  }
  if (!looksForUnknown) return undefined;
  return undeclared(input.schema.unknownIn(args, rules.named));
}

/** Where the schema is not looked at, only policy can name arguments. */
function firstUnnamed(args: JsonObject, rules: SchemaRules): string | undefined {
  if (rules.unknown.effect === undefined) return undefined;
  return Object.keys(args).find((name) => !rules.named.has(name));
}

function undeclared(path: string | undefined): Judgement | undefined {
  if (path === undefined) return undefined;
  return {
    code: 'arguments-refused',
    finding: { path, detail: 'not-declared' },
    data: {
      path: path || wholeArguments,
      role: 'unknown',
      fault: 'not-declared',
      allow: 'name it under args, or unknown: allow',
    },
    of: 'unknown',
  };
}

/** Since when results have structured content, and must have it where an output schema is declared. */
const structuredSince = '2025-06-18';

/**
 * Judges a tool's result against its output schema (2025-06-18 and later, server/tools, Output Schema). Errors, and
 * results that are not complete, need no structured content.
 */
export function judgeResult(
  result: JsonObject,
  output: SchemaCompilation,
  revision: Revision,
): Judgement | undefined {
  if (own(result, 'isError') === true) return undefined;
  const content = own(result, 'structuredContent');
  // What is there is judged, whatever else the result says of itself: a client may not look at that.
  if (content === undefined) {
    if (isUnfinished(result, revision)) return undefined;
    // Dates compare as text.
    return revision < structuredSince ? undefined : broken('structuredContent', 'required');
  }
  if (!output.ok) return broken(output.path || undefined, `schema-${output.reason}`);
  const fault = output.schema.judge(content);
  if (fault === undefined) return undefined;
  const separator = fault.path === '' || fault.path.startsWith('[') ? '' : '.';
  return broken(`structuredContent${separator}${fault.path}`.slice(0, 256), fault.keyword);
}

/** It asks for input, or is a task that goes on: the extension's, or that of 2025-11-25. Elsewhere the words say nothing. */
function isUnfinished(result: JsonObject, revision: Revision): boolean {
  if (eraOf(revision) === 'modern') {
    const type = own(result, 'resultType');
    return type === 'input_required' || type === 'task';
  }
  return (
    revision === '2025-11-25' && isJsonObject(own(result, 'task')) && own(result, 'content') === undefined
  );
}

function broken(path: string | undefined, detail: string): Judgement {
  return { code: 'result-invalid', finding: { path, detail }, data: undefined, of: 'schema' };
}
