import { readExpression, readExpressions, readOperand } from './expression.ts';
import { readQuery, startsQuery } from './queries.ts';
import type { Reader } from './reader.ts';
import { tableHints } from './words.ts';

/** What may stand behind a table or a subquery: its alias, hints, samples, times, pivots; in the order of the dialect. */
export function readTableModifiers(reader: Reader): void {
  readBeforeAlias(reader);
  readAlias(reader);
  while (takeModifier(reader)) readAlias(reader);
}

function readBeforeAlias(reader: Reader): void {
  const { dialect } = reader;
  if (dialect === 'mysql' || dialect === 'mariadb') {
    if (reader.take('PARTITION')) reader.inBrackets(() => reader.list(() => void reader.name()));
  }
  if (reader.take('FOR', 'SYSTEM_TIME', 'AS', 'OF')) {
    // Older rows of the same table.
    readOperand(reader);
    while (reader.takeOneOf(['+', '-'])) readOperand(reader);
  }
  if (dialect === 'snowflake' && reader.isOneOf(['AT', 'BEFORE']) && reader.is('(', 1)) {
    reader.next();
    reader.inBrackets(() => readExpression(reader));
  }
}

function readAlias(reader: Reader): void {
  reader.alias();
  if (reader.is('(') && reader.isName(1)) {
    reader.inBrackets(() => reader.list(() => void reader.name()));
  }
}

function takeModifier(reader: Reader): boolean {
  const { dialect } = reader;
  if (dialect === 'mysql' || dialect === 'mariadb') return takeIndexHint(reader);
  if (dialect === 'transactsql' && reader.is('WITH') && reader.is('(', 1)) {
    reader.next();
    reader.inBrackets(() => reader.list(() => void (reader.takeOneOf(tableHints) || reader.fail())));
    return true;
  }
  if (reader.isOneOf(['TABLESAMPLE', 'SAMPLE'])) {
    reader.next();
    readSample(reader);
    return true;
  }
  if (reader.isOneOf(['PIVOT', 'UNPIVOT']) && (reader.is('(', 1) || reader.is('NULLS', 2))) {
    reader.next();
    readPivot(reader);
    return true;
  }
  return dialect === 'bigquery' && reader.take('WITH', 'OFFSET');
}

function takeIndexHint(reader: Reader): boolean {
  if (!reader.isOneOf(['USE', 'FORCE', 'IGNORE']) || !reader.isOneOf(['INDEX', 'KEY'], 1)) return false;
  reader.next();
  reader.next();
  if (reader.take('FOR') && !reader.take('JOIN') && !reader.take('ORDER', 'BY')) reader.expect('GROUP', 'BY');
  reader.inBrackets(() => {
    if (!reader.is(')')) reader.list(() => void reader.name());
  });
  return true;
}

function readSample(reader: Reader): void {
  reader.takeOneOf(['SYSTEM', 'BERNOULLI', 'ROW', 'BLOCK', 'RESERVOIR']);
  reader.inBrackets(() => {
    readOperand(reader);
    reader.takeOneOf(['PERCENT', 'ROWS']);
  });
  if (reader.takeOneOf(['REPEATABLE', 'SEED'])) reader.inBrackets(() => void reader.expectKind('number'));
}

/** `(SUM(x) AS s FOR q IN ('Q1' AS a, 'Q2'))`; UNPIVOT has a name where PIVOT has a function. */
function readPivot(reader: Reader): void {
  if (reader.takeOneOf(['INCLUDE', 'EXCLUDE'])) reader.expect('NULLS');
  reader.inBrackets(() => {
    reader.list(() => {
      readExpression(reader);
      reader.alias();
    });
    reader.expect('FOR');
    reader.name();
    while (reader.take('.')) reader.name();
    reader.expect('IN');
    reader.inBrackets(() => {
      if (startsQuery(reader)) readQuery(reader);
      else if (reader.take('ANY')) reader.take('ORDER', 'BY') && readExpressions(reader);
      else {
        reader.list(() => {
          readExpression(reader);
          reader.alias();
        });
      }
    });
  });
}
