import { readArguments } from './calls.ts';
import { readExpression, readExpressions, readOperand } from './expression.ts';
import { readQuery, readRows, readSetTail, startsQuery } from './queries.ts';
import { Unclear } from './query.ts';
import type { Reader } from './reader.ts';
import { readTableModifiers } from './table-modifiers.ts';
import { noteTable, readPath } from './table-name.ts';
import { readType } from './types.ts';
import { tableHints } from './words.ts';

/** Everything behind FROM: tables, subqueries and functions, with the joins between them. */
export function readFrom(reader: Reader): void {
  reader.nested(() => {
    readFactor(reader);
    for (;;) {
      if (reader.take(',')) readFactor(reader);
      else if (takeJoin(reader)) readFactor(reader);
      else if (reader.take('ON')) readExpression(reader);
      else if (reader.take('USING')) reader.inBrackets(() => reader.list(() => void reader.name()));
      else return;
    }
  });
}

const sides = ['INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS'];

function takeJoin(reader: Reader): boolean {
  if (reader.take('STRAIGHT_JOIN') || reader.take('CROSS', 'APPLY') || reader.take('OUTER', 'APPLY'))
    return true;
  if (!reader.isOneOf([...sides, 'NATURAL', 'JOIN'])) return false;
  reader.take('NATURAL');
  if (reader.takeOneOf(sides)) reader.take('OUTER');
  if (reader.dialect === 'transactsql') reader.takeOneOf(['LOOP', 'HASH', 'MERGE']);
  reader.expect('JOIN');
  return true;
}

function readFactor(reader: Reader): void {
  reader.nested(() => {
    reader.take('LATERAL');
    if (reader.take('(')) {
      if (startsQuery(reader)) readQuery(reader);
      else {
        readFrom(reader);
        readSetTail(reader);
      }
      reader.expect(')');
    } else if (reader.take('VALUES')) readRows(reader);
    else if (reader.is('TABLE') && reader.is('(', 1)) readWrappedCall(reader);
    else if (reader.is('JSON_TABLE') && reader.is('(', 1)) readJsonTable(reader);
    else readTableOrCall(reader);
    readTableModifiers(reader);
  });
}

/** Snowflake: `TABLE(function(…))`. */
function readWrappedCall(reader: Reader): void {
  reader.next();
  reader.inBrackets(() => readCall(reader, readPath(reader)));
}

function readTableOrCall(reader: Reader): void {
  const path = readPath(reader);
  if (!reader.is('(')) noteTable(reader, path);
  else if (reader.dialect === 'transactsql' && reader.isOneOf(tableHints, 1)) {
    // FROM t (NOLOCK)
    noteTable(reader, path);
    reader.inBrackets(() => reader.list(() => void (reader.takeOneOf(tableHints) || reader.fail())));
  } else readCall(reader, path);
}

function readCall(reader: Reader, path: readonly { readonly text: string }[]): void {
  if (!reader.is('(')) throw new Unclear('construct');
  const name = path
    .map(({ text }) => text)
    .join('.')
    .toLowerCase();
  reader.facts.functions.add(name);
  readArguments(reader);
  if (name === 'unnest' && reader.take('WITH', 'OFFSET')) reader.alias();
  if (name === 'openjson' && reader.take('WITH')) {
    reader.inBrackets(() =>
      reader.list(() => {
        reader.name();
        readType(reader);
        reader.takeKind('string');
        if (reader.take('AS')) reader.expect('JSON');
      }),
    );
  }
}

/** `JSON_TABLE(document, '$[*]' COLUMNS (a INT PATH '$.a', n FOR ORDINALITY, NESTED PATH '$.b' COLUMNS (…)))` */
function readJsonTable(reader: Reader): void {
  reader.facts.functions.add('json_table');
  reader.next();
  reader.inBrackets(() => {
    readExpression(reader);
    reader.expect(',');
    readExpressions(reader);
    readJsonColumns(reader);
  });
}

function readJsonColumns(reader: Reader): void {
  reader.expect('COLUMNS');
  reader.nested(() => reader.inBrackets(() => reader.list(() => readJsonColumn(reader))));
}

function readJsonColumn(reader: Reader): void {
  if (reader.take('NESTED')) {
    reader.take('PATH');
    reader.expectKind('string');
    readJsonColumns(reader);
    return;
  }
  reader.name();
  if (reader.take('FOR', 'ORDINALITY')) return;
  readType(reader);
  reader.take('EXISTS');
  reader.expect('PATH');
  reader.expectKind('string');
  while (reader.isOneOf(['NULL', 'ERROR', 'DEFAULT'])) {
    if (reader.next().key === 'DEFAULT') readOperand(reader);
    reader.expect('ON');
    if (!reader.takeOneOf(['EMPTY', 'ERROR'])) reader.fail();
  }
}
