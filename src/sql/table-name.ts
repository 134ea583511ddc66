import { lowerAscii, type SqlDialect, Unclear } from './query.ts';
import type { Reader } from './reader.ts';
import type { Token } from './scan.ts';

/** Reads the name of a table, and notes it unless it is the name of a CTE. */
export function readTableName(reader: Reader): void {
  noteTable(reader, readPath(reader));
}

export function noteTable(reader: Reader, path: readonly Token[]): void {
  const { dialect } = reader;
  const [first, ...more] = path;
  if (first === undefined) reader.fail();
  if (more.length === 0 && (reader.scope.has(scopeName(first, dialect)) || isDual(first, dialect))) return;
  const parts = path.flatMap((token) => partsOf(token, dialect));
  // Four parts reach into another server.
  if (parts.length > 3 || parts.some((part) => part === '')) throw new Unclear('construct');
  reader.facts.table(parts);
}

/** A word of MySQL for no table at all. */
function isDual(token: Token, dialect: SqlDialect): boolean {
  return token.key === 'DUAL' && (dialect === 'mysql' || dialect === 'mariadb');
}

/** `a.b.c`; in BigQuery a project may have dashes. */
export function readPath(reader: Reader): readonly Token[] {
  const path = [readPart(reader)];
  while (reader.take('.')) {
    path.push(reader.takeKind('word') ?? reader.takeKind('quoted') ?? reader.fail());
  }
  return path;
}

function readPart(reader: Reader): Token {
  const first = reader.name();
  if (reader.dialect !== 'bigquery' || first.kind !== 'word') return first;
  let { text, end } = first;
  while (reader.is('-') && reader.peek().start === end && reader.peek(1).start === end + 1) {
    reader.next();
    const part = reader.takeKind('word') ?? reader.expectKind('number');
    text += `-${part.text}`;
    end = part.end;
  }
  return end === first.end ? first : { ...first, text, end };
}

function partsOf(token: Token, dialect: SqlDialect): readonly string[] {
  if (dialect !== 'bigquery' || token.kind !== 'quoted') return [scopeName(token, dialect)];
  const parts = token.text.split('.');
  // A star at the very end is a wildcard over tables; decorators such as t@0 and t$2024 name other rows.
  if (
    !parts.every((part, at) =>
      (at === parts.length - 1 ? /^[\p{L}\p{N}_ -]+\*?$/u : /^[\p{L}\p{N}_:-]+$/u).test(part),
    )
  ) {
    throw new Unclear('construct');
  }
  return parts;
}

/** A name as the dialect folds it. */
export function scopeName(token: Token, dialect: SqlDialect): string {
  if (dialect === 'transactsql') return lowerAscii(token.text);
  if (dialect === 'snowflake' && token.kind === 'word') return token.text.toUpperCase();
  return token.text;
}
