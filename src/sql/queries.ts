import { readExpression, readExpressions, readOperand } from './expression.ts';
import { plainCount, Unclear } from './query.ts';
import type { Reader } from './reader.ts';
import { readOrderBy, readSelect } from './select.ts';
import { readTableName, scopeName } from './table-name.ts';

/** Whether a query starts here; a bracket may be either, and is read by who asks. */
export function startsQuery(reader: Reader, ahead = 0): boolean {
  if (reader.isOneOf(['SELECT', 'WITH'], ahead)) return true;
  if (reader.is('VALUES', ahead)) return !mysqlFunction(reader, ahead);
  return reader.is('TABLE', ahead) && reader.isName(ahead + 1) && !reader.is('(', ahead + 1);
}

/** `VALUES(column)` is a function in MySQL, `VALUES ROW(…)` a query. */
function mysqlFunction(reader: Reader, ahead: number): boolean {
  return reader.dialect === 'mysql' && !reader.is('ROW', ahead + 1);
}

/**
 * Reads a whole query with its CTEs, set operations, order and limit.
 *
 * @returns the most rows that it says it returns, where it says so with a plain number
 */
export function readQuery(reader: Reader): number | undefined {
  const outside = reader.scope;
  let limit: number | undefined;
  reader.nested(() => {
    if (reader.take('WITH')) readCtes(reader);
    const first = readTerm(reader);
    const more = readTerms(reader);
    limit = readTail(reader) ?? (more ? undefined : first);
  });
  reader.scope = outside;
  return limit;
}

/** What may follow a bracketed query that turned out to be the first part of a larger one. */
export function readSetTail(reader: Reader): void {
  readTerms(reader);
  readTail(reader);
}

function readCtes(reader: Reader): void {
  const recursive =
    reader.take('RECURSIVE') || reader.dialect === 'transactsql' || reader.dialect === 'snowflake';
  reader.list(() => {
    const name = scopeName(reader.name(), reader.dialect);
    if (reader.is('(')) reader.inBrackets(() => reader.list(() => void reader.name()));
    reader.expect('AS');
    if (!reader.take('MATERIALIZED')) reader.take('NOT', 'MATERIALIZED');
    const before = reader.scope;
    const after = new Set(before).add(name);
    // Where a CTE cannot be recursive, one that names itself means the table.
    reader.scope = recursive ? after : before;
    reader.inBrackets(() => {
      if (!startsQuery(reader) && !reader.is('(')) throw new Unclear('statement');
      readQuery(reader);
    });
    reader.scope = after;
  });
  if (!reader.isOneOf(['SELECT', 'VALUES', 'TABLE', '(', 'WITH'])) throw new Unclear('statement');
}

/** @returns its own limit, which holds for the whole query where it is the only term */
function readTerm(reader: Reader): number | undefined {
  if (reader.is('SELECT')) return readSelect(reader);
  if (reader.take('VALUES')) {
    readRows(reader);
    return undefined;
  }
  if (reader.take('TABLE')) {
    readTableName(reader);
    return undefined;
  }
  let limit: number | undefined;
  reader.inBrackets(() => {
    limit = readQuery(reader);
  });
  return limit;
}

export function readRows(reader: Reader): void {
  reader.list(() => {
    reader.take('ROW');
    reader.inBrackets(() => readExpressions(reader));
  });
}

/** @returns whether there was a second term */
function readTerms(reader: Reader): boolean {
  let more = false;
  while (reader.takeOneOf(['UNION', 'INTERSECT', 'EXCEPT', 'MINUS'])) {
    reader.takeOneOf(['ALL', 'DISTINCT']);
    if (reader.take('BY', 'NAME')) reader.take('ON');
    readTerm(reader);
    more = true;
  }
  return more;
}

/** ORDER BY, the forms of a limit, and what Transact-SQL says after them. @returns the limit */
function readTail(reader: Reader): number | undefined {
  if (reader.is('ORDER')) readOrderBy(reader);
  let limit: number | undefined;
  if (reader.take('LIMIT')) limit = readLimit(reader);
  if (reader.take('OFFSET')) {
    readExpression(reader);
    reader.takeOneOf(['ROW', 'ROWS']);
  }
  if (reader.take('FETCH')) limit = readFetch(reader);
  if (reader.dialect === 'transactsql') {
    if (reader.take('FOR')) readOutputForm(reader);
    if (reader.take('OPTION')) readOptions(reader);
  }
  return limit;
}

/** `LIMIT n`, `LIMIT n OFFSET m`, and MySQL's `LIMIT m, n`. */
function readLimit(reader: Reader): number | undefined {
  if (reader.take('ALL') || reader.take('NULL')) return undefined;
  const first = readCount(reader);
  if (!reader.take(',')) return first;
  if (reader.dialect !== 'mysql' && reader.dialect !== 'mariadb') reader.fail();
  return readCount(reader);
}

function readCount(reader: Reader): number | undefined {
  const token = reader.peek();
  readExpression(reader);
  // A number with anything behind it is no plain number: LIMIT 1 + 999.
  return token.kind === 'number' && reader.lastEnd === token.end ? plainCount(token.text) : undefined;
}

/** `FETCH { FIRST | NEXT } [n] { ROW | ROWS } ONLY`; WITH TIES gives no limit. */
function readFetch(reader: Reader): number | undefined {
  reader.takeOneOf(['FIRST', 'NEXT']);
  let limit: number | undefined = 1;
  if (!reader.isOneOf(['ROW', 'ROWS', 'ONLY'])) {
    const token = reader.peek();
    readOperand(reader);
    limit = token.kind === 'number' && reader.lastEnd === token.end ? plainCount(token.text) : undefined;
  }
  reader.takeOneOf(['ROW', 'ROWS']);
  if (reader.take('WITH', 'TIES')) return undefined;
  reader.take('ONLY');
  return limit;
}

const outputWords = [
  'ROOT',
  'TYPE',
  'ELEMENTS',
  'XSINIL',
  'INCLUDE_NULL_VALUES',
  'WITHOUT_ARRAY_WRAPPER',
  'ABSENT',
];

/** `FOR JSON PATH, ROOT('a')`, `FOR XML PATH('')`: how rows are written, no more. */
function readOutputForm(reader: Reader): void {
  if (!reader.takeOneOf(['JSON', 'XML'])) reader.fail();
  if (!reader.takeOneOf(['PATH', 'AUTO', 'RAW'])) reader.fail();
  const name = (): void => {
    if (reader.is('(')) reader.inBrackets(() => void reader.expectKind('string'));
  };
  name();
  while (reader.take(',')) {
    if (!reader.takeOneOf(outputWords)) reader.fail();
    name();
  }
}

const queryOptions = [
  'RECOMPILE',
  'MAXDOP',
  'MAXRECURSION',
  'FAST',
  'HASH',
  'ORDER',
  'MERGE',
  'LOOP',
  'JOIN',
  'GROUP',
];

function readOptions(reader: Reader): void {
  reader.inBrackets(() =>
    reader.list(() => {
      if (!reader.takeOneOf(queryOptions)) reader.fail();
      while (reader.takeOneOf(queryOptions));
      reader.takeKind('number');
    }),
  );
}
