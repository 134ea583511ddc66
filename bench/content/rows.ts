import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import type { JsonValue } from '../../src/values/json.ts';
import { toExactNumber } from '../../src/values/json.ts';

/** One line of a file, or one element of a file that is one JSON array. */
export interface Row {
  readonly line: number;
  /** What the line says as JSON; undefined in a file of plain text. */
  readonly value: JsonValue | undefined;
  readonly text: string;
}

export interface BadRow {
  readonly line: number;
  readonly bad: string;
}

/**
 * Reads a file line by line. `.json`, `.jsonl` and `.ndjson` hold JSON, a line that does not parse is said to be bad;
 * in every other file a line is JSON where it is an object, and else plain text. A file that is one JSON array, over as
 * many lines as it likes, has its elements for rows. Empty lines are no rows.
 *
 * @throws Error where the file cannot be read
 */
export async function* readRows(file: string): AsyncGenerator<Row | BadRow> {
  const isJson = /^\.(?:json|jsonl|ndjson|jsonlines)$/i.test(extname(file));
  if (isJson && (await startsLikeDocument(file))) {
    const elements = elementsOf(await readFile(file, 'utf8'));
    if (elements !== undefined) {
      yield* elements.map((value, index) => ({ line: index + 1, value, text: '' }));
      return;
    }
  }
  let line = 0;
  for await (const text of linesOf(file)) {
    line += 1;
    if (text.trim() === '') continue;
    const value = parseExact(text);
    if (isJson) yield value === undefined ? { line, bad: 'not JSON' } : { line, value, text };
    else yield { line, value: text.trimStart().startsWith('{') ? value : undefined, text };
  }
}

/** JSON with every integer exact, as the gateway's decoder reads it; undefined where it is none. */
export function parseExact(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
        ? toExactNumber(source!)
        : value,
    );
  } catch {
    return undefined;
  }
}

/** The first line of a document over several lines is a bracket, or does not parse by itself. */
async function startsLikeDocument(file: string): Promise<boolean> {
  for await (const text of linesOf(file)) {
    if (text.trim() === '') continue;
    const value = /^[[{]/.test(text.trim()) ? parseExact(text) : null;
    return value === undefined || Array.isArray(value);
  }
  return false;
}

/** Undefined where the whole file is not one JSON array, nor an object that holds one. */
function elementsOf(text: string): readonly JsonValue[] | undefined {
  const whole = parseExact(text.replace(/^\ufeff/, ''));
  if (Array.isArray(whole)) return whole as readonly JsonValue[];
  return typeof whole === 'object' && whole !== null ? [whole] : undefined;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let first = true;
  for await (const line of lines) {
    yield first ? line.replace(/^\ufeff/, '') : line;
    first = false;
  }
}
