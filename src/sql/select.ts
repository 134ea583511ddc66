import { readWindow } from './calls.ts';
import { readExpression, readExpressions } from './expression.ts';
import { readFrom } from './from.ts';
import { plainCount } from './query.ts';
import type { Reader } from './reader.ts';

const modifiers = [
  'HIGH_PRIORITY',
  'STRAIGHT_JOIN',
  'SQL_SMALL_RESULT',
  'SQL_BIG_RESULT',
  'SQL_BUFFER_RESULT',
  'SQL_NO_CACHE',
  'SQL_CALC_FOUND_ROWS',
];

/** SELECT up to what orders and limits it. @returns the number of TOP */
export function readSelect(reader: Reader): number | undefined {
  reader.expect('SELECT');
  if (reader.dialect === 'mysql' || reader.dialect === 'mariadb') while (reader.takeOneOf(modifiers));
  reader.takeOneOf(['DISTINCT', 'ALL', 'DISTINCTROW']);
  const top = readTop(reader);
  if (reader.dialect === 'bigquery' && reader.take('AS')) {
    if (!reader.takeOneOf(['STRUCT', 'VALUE'])) reader.fail();
  }
  reader.list(() => readItem(reader));
  if (reader.take('FROM')) readFrom(reader);
  if (reader.take('WHERE')) readExpression(reader);
  if (reader.take('GROUP', 'BY')) readGroups(reader);
  if (reader.take('HAVING')) readExpression(reader);
  if (reader.take('QUALIFY')) readExpression(reader);
  if (reader.is('WINDOW') && reader.is('AS', 2)) {
    reader.next();
    reader.list(() => {
      reader.name();
      reader.expect('AS');
      if (reader.is('(')) readWindow(reader);
      else reader.name();
    });
    if (reader.take('QUALIFY')) readExpression(reader);
  }
  return top;
}

/** `TOP 5`, `TOP (5) PERCENT WITH TIES`: only plain rows count. */
function readTop(reader: Reader): number | undefined {
  if (reader.dialect !== 'transactsql' && reader.dialect !== 'snowflake') return undefined;
  if (!reader.is('TOP') || !(reader.peek(1).kind === 'number' || reader.is('(', 1))) return undefined;
  reader.next();
  let count: number | undefined;
  const number = reader.takeKind('number');
  if (number !== undefined) count = plainCount(number.text);
  else {
    reader.inBrackets(() => {
      if (reader.peek().kind === 'number' && reader.is(')', 1)) count = plainCount(reader.next().text);
      else readExpression(reader);
    });
  }
  const percent = reader.dialect === 'transactsql' && reader.take('PERCENT');
  const ties = reader.take('WITH', 'TIES');
  return percent || ties ? undefined : count;
}

function readItem(reader: Reader): void {
  if (reader.take('*')) {
    readStarTail(reader);
    return;
  }
  if (reader.peek().kind === 'parameter' && reader.dialect === 'transactsql' && reader.is('=', 1)) {
    // Sets a variable.
    reader.fail();
  }
  readExpression(reader);
  readStarTail(reader);
  reader.alias();
}

/** `* EXCEPT (a)`, `* EXCLUDE a`, `* REPLACE (1 AS a)`, `* RENAME (a AS b)`, `* ILIKE 'x%'` */
function readStarTail(reader: Reader): void {
  if (reader.dialect !== 'bigquery' && reader.dialect !== 'snowflake') return;
  if (reader.is('EXCEPT') && reader.is('(', 1) && !reader.isOneOf(['SELECT', 'WITH', '('], 2)) {
    reader.next();
    reader.inBrackets(() => reader.list(() => void reader.name()));
  }
  if (reader.is('EXCLUDE') && (reader.isName(1) || reader.is('(', 1))) {
    reader.next();
    if (reader.is('(')) reader.inBrackets(() => reader.list(() => void reader.name()));
    else reader.name();
  }
  if (reader.isOneOf(['REPLACE', 'RENAME']) && reader.is('(', 1)) {
    reader.next();
    reader.inBrackets(() =>
      reader.list(() => {
        readExpression(reader);
        reader.expect('AS');
        reader.name();
      }),
    );
  }
}

function readGroups(reader: Reader): void {
  reader.takeOneOf(['ALL', 'DISTINCT']);
  if (!endsGroups(reader)) {
    reader.list(() => {
      if (reader.take('GROUPING', 'SETS') || reader.take('ROLLUP') || reader.take('CUBE')) {
        // Each set is a bracketed list, which may be empty.
        reader.inBrackets(() => readExpressions(reader));
      } else readExpression(reader);
    });
  }
  if (!reader.take('WITH', 'ROLLUP')) reader.take('WITH', 'CUBE');
}

function endsGroups(reader: Reader): boolean {
  const { kind } = reader.peek();
  return (
    kind === 'end' || reader.isOneOf([')', ';', 'HAVING', 'ORDER', 'LIMIT', 'QUALIFY', 'UNION', 'FETCH'])
  );
}

export function readOrderBy(reader: Reader): void {
  reader.expect('ORDER', 'BY');
  reader.list(() => {
    if (!(reader.is('ALL') && !reader.is('(', 1) && reader.take('ALL'))) readExpression(reader);
    reader.takeOneOf(['ASC', 'DESC']);
    if (reader.take('NULLS') && !reader.takeOneOf(['FIRST', 'LAST'])) reader.fail();
  });
  reader.take('WITH', 'ROLLUP');
}
