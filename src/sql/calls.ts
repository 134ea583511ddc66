import { readExpression, readExpressions, readOperand } from './expression.ts';
import { readQuery, startsQuery } from './queries.ts';
import type { Reader } from './reader.ts';
import { readOrderBy } from './select.ts';
import { readType } from './types.ts';

/** Arguments of a function, from bracket to bracket, with what aggregates may say behind them. */
export function readArguments(reader: Reader): void {
  reader.expect('(');
  if (reader.take(')')) return;
  reader.takeOneOf(['DISTINCT', 'ALL']);
  reader.list(() => readArgument(reader));
  readArgumentTail(reader);
  reader.expect(')');
}

function readArgument(reader: Reader): void {
  if (reader.take('*')) return;
  if (startsQuery(reader)) {
    readQuery(reader);
    return;
  }
  readExpression(reader);
  // SUBSTRING(a FROM 2 FOR 3), STRUCT(a AS b), CHAR(65 USING utf8mb4), OVERLAY(a PLACING b FROM 1)
  while (reader.takeOneOf(['FROM', 'FOR', 'PLACING'])) readExpression(reader);
  if (reader.take('AS')) reader.name();
  if (reader.take('USING')) reader.expectKind('word');
}

function readArgumentTail(reader: Reader): void {
  if (reader.take('HAVING')) {
    if (!reader.takeOneOf(['MAX', 'MIN'])) reader.fail();
    readExpression(reader);
  }
  readNullTreatment(reader);
  if (reader.is('ORDER')) readOrderBy(reader);
  if (reader.take('SEPARATOR')) reader.expectKind('string');
  if (reader.take('LIMIT')) readOperand(reader);
  if (reader.take('RETURNING')) readType(reader);
  // JSON_VALUE(a, '$.b' NULL ON EMPTY DEFAULT 0 ON ERROR)
  while (reader.isOneOf(['NULL', 'ERROR', 'DEFAULT', 'ABSENT'])) {
    if (reader.next().key === 'DEFAULT') readOperand(reader);
    reader.expect('ON');
    if (!reader.takeOneOf(['EMPTY', 'ERROR', 'NULL'])) reader.fail();
  }
}

/** What may stand behind the brackets of a call: WITHIN GROUP, FILTER, OVER. */
export function readWindowTail(reader: Reader): void {
  if (reader.take('WITHIN', 'GROUP')) reader.inBrackets(() => readOrderBy(reader));
  if (reader.is('FILTER') && reader.is('(', 1)) {
    reader.next();
    reader.inBrackets(() => {
      reader.expect('WHERE');
      readExpression(reader);
    });
  }
  if (reader.take('FROM', 'FIRST') || reader.take('FROM', 'LAST')) readNullTreatment(reader);
  readNullTreatment(reader);
  if (!reader.take('OVER')) return;
  if (reader.is('(')) readWindow(reader);
  else reader.name();
}

function readNullTreatment(reader: Reader): void {
  if (!reader.take('IGNORE', 'NULLS')) reader.take('RESPECT', 'NULLS');
}

/** `([name] [PARTITION BY …] [ORDER BY …] [frame])` */
export function readWindow(reader: Reader): void {
  reader.inBrackets(() => {
    if (reader.isName() && !reader.isOneOf(['PARTITION', 'ROWS', 'RANGE', 'GROUPS'])) reader.next();
    if (reader.take('PARTITION', 'BY')) readExpressions(reader);
    if (reader.is('ORDER')) readOrderBy(reader);
    if (reader.takeOneOf(['ROWS', 'RANGE', 'GROUPS'])) {
      if (reader.take('BETWEEN')) {
        readBound(reader);
        reader.expect('AND');
      }
      readBound(reader);
      if (reader.take('EXCLUDE') && !reader.take('CURRENT', 'ROW') && !reader.take('NO', 'OTHERS')) {
        if (!reader.takeOneOf(['GROUP', 'TIES'])) reader.fail();
      }
    }
  });
}

function readBound(reader: Reader): void {
  if (reader.take('CURRENT', 'ROW')) return;
  if (!reader.take('UNBOUNDED')) readOperand(reader);
  if (!reader.takeOneOf(['PRECEDING', 'FOLLOWING'])) reader.fail();
}

export function readCase(reader: Reader): void {
  reader.nested(() => {
    reader.expect('CASE');
    if (!reader.is('WHEN')) readExpression(reader);
    do {
      reader.expect('WHEN');
      readExpression(reader);
      reader.expect('THEN');
      readExpression(reader);
    } while (reader.is('WHEN'));
    if (reader.take('ELSE')) readExpression(reader);
    reader.expect('END');
  });
}

const casts = ['CAST', 'TRY_CAST', 'SAFE_CAST', 'PARSE', 'TRY_PARSE'];

/** Calls whose brackets hold more than a list of expressions. @returns whether one stood here */
export function readSpecialCall(reader: Reader): boolean {
  const { key } = reader.peek();
  const { dialect } = reader;
  if (key === 'EXISTS' || (key === 'ARRAY' && dialect === 'bigquery')) {
    if (!startsQuery(reader, 2) && key === 'ARRAY') return false;
    reader.next();
    reader.nested(() => reader.inBrackets(() => readQuery(reader)));
    return true;
  }
  if (casts.includes(key)) return bracketed(reader, () => readCast(reader));
  if (key === 'CONVERT' || key === 'TRY_CONVERT') {
    if (dialect === 'transactsql') return bracketed(reader, () => readTypedConvert(reader));
    return bracketed(reader, () => readConvert(reader));
  }
  if (key === 'EXTRACT') return bracketed(reader, () => readExtract(reader));
  if (key === 'TRIM') return bracketed(reader, () => readTrim(reader));
  if (key === 'MATCH') {
    reader.next();
    reader.inBrackets(() => readExpressions(reader));
    reader.expect('AGAINST');
    reader.inBrackets(() => {
      readOperand(reader);
      if (!reader.take('IN', 'BOOLEAN', 'MODE')) reader.take('IN', 'NATURAL', 'LANGUAGE', 'MODE');
      reader.take('WITH', 'QUERY', 'EXPANSION');
    });
    return true;
  }
  return false;
}

function bracketed(reader: Reader, read: () => void): true {
  reader.next();
  reader.nested(() => reader.inBrackets(read));
  return true;
}

/** `CAST(a AS DECIMAL(10, 2) FORMAT '…')`, `PARSE(a AS date USING 'en-US')` */
function readCast(reader: Reader): void {
  readExpression(reader);
  reader.expect('AS');
  readType(reader);
  if (reader.take('FORMAT')) readOperand(reader);
  if (reader.take('AT', 'TIME', 'ZONE') || reader.take('USING')) readOperand(reader);
}

/** Transact-SQL: type first. */
function readTypedConvert(reader: Reader): void {
  readType(reader);
  reader.expect(',');
  readExpressions(reader);
}

/** MySQL: `CONVERT(a, SIGNED)`, `CONVERT(a USING utf8mb4)` */
function readConvert(reader: Reader): void {
  readExpression(reader);
  if (reader.take('USING')) reader.expectKind('word');
  else {
    reader.expect(',');
    readType(reader);
  }
}

function readExtract(reader: Reader): void {
  reader.name();
  if (reader.is('(')) reader.inBrackets(() => void reader.name());
  reader.expect('FROM');
  readExpression(reader);
}

function readTrim(reader: Reader): void {
  reader.takeOneOf(['LEADING', 'TRAILING', 'BOTH']);
  if (!reader.is('FROM')) readExpressions(reader);
  if (reader.take('FROM')) readExpression(reader);
}
