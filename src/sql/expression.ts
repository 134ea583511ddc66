import { readArguments, readCase, readSpecialCall, readWindowTail } from './calls.ts';
import { readQuery, readSetTail, startsQuery } from './queries.ts';
import { Unclear } from './query.ts';
import type { Reader } from './reader.ts';
import { readAngles, readType } from './types.ts';
import {
  bareCalls,
  callableWords,
  literalTypes,
  markOperators,
  mayBeName,
  units,
  wordOperators,
} from './words.ts';

/**
 * Reads one expression: operands with operators between them. How operators bind does not matter here; which
 * functions, subqueries and tables the operands name does.
 */
export function readExpression(reader: Reader): void {
  reader.nested(() => {
    do readOperand(reader);
    while (takeOperator(reader));
  });
}

export function readExpressions(reader: Reader): void {
  reader.list(() => readExpression(reader));
}

/** An operator between two operands; the second one must follow. */
function takeOperator(reader: Reader): boolean {
  if (reader.takeOneOf(markOperators)) return true;
  const negated = reader.is('NOT') ? 1 : 0;
  if (reader.isOneOf(wordOperators, negated)) {
    if (negated === 1) reader.next();
    const operator = reader.next().key;
    if (/^R?I?LIKE$/.test(operator)) reader.takeOneOf(['ANY', 'ALL', 'SOME']);
    return true;
  }
  return (
    reader.take('IS', 'DISTINCT', 'FROM') ||
    reader.take('IS', 'NOT', 'DISTINCT', 'FROM') ||
    reader.take('SOUNDS', 'LIKE') ||
    reader.take('MEMBER', 'OF')
  );
}

/** One operand with what stands before and behind it. */
export function readOperand(reader: Reader): void {
  while (reader.takeOneOf(['NOT', '-', '+', '~', '!']));
  if (reader.isOneOf(['ANY', 'ALL', 'SOME', 'BINARY']) && !reader.is('.', 1)) {
    if (reader.is('(', 1) || reader.is('BINARY')) reader.next();
  }
  readPrimary(reader);
  while (takePostfix(reader));
}

function readPrimary(reader: Reader): void {
  const token = reader.peek();
  switch (token.kind) {
    case 'number':
      reader.next();
      return;
    case 'string':
      while (reader.takeKind('string') !== undefined);
      return;
    case 'parameter':
      reader.facts.parameters = true;
      reader.next();
      return;
    case 'quoted':
      readNameOrCall(reader);
      return;
    case 'mark':
      readMarked(reader);
      return;
    case 'word':
      readWord(reader);
      return;
    default:
      reader.fail();
  }
}

function readMarked(reader: Reader): void {
  if (reader.is('(')) {
    reader.nested(() => readBracketed(reader));
  } else if (reader.take('[')) {
    if (!reader.is(']')) readExpressions(reader);
    reader.expect(']');
  } else if (reader.take('{')) {
    if (!reader.is('}')) {
      reader.list(() => {
        reader.expectKind('string');
        reader.expect(':');
        readExpression(reader);
      });
    }
    reader.expect('}');
  } else if (reader.dialect === 'snowflake' && reader.is(':') && reader.peek().end === reader.peek(1).start) {
    // :name and :1 are placeholders.
    reader.next();
    if (reader.takeKind('number') === undefined) reader.expectKind('word');
    reader.facts.parameters = true;
  } else reader.fail();
}

/** A list of expressions, or a query; a bracketed query may go on as part of a set operation. */
function readBracketed(reader: Reader): void {
  reader.expect('(');
  if (startsQuery(reader)) readQuery(reader);
  else if (!reader.is(')')) {
    readExpressions(reader);
    readSetTail(reader);
  }
  reader.expect(')');
}

function readWord(reader: Reader): void {
  const { key } = reader.peek();
  const following = reader.peek(1);
  if (key === 'CASE') readCase(reader);
  else if (following.kind === 'string' && literalTypes.has(key)) {
    reader.next();
    reader.next();
  } else if (key === 'INTERVAL' && following.key !== '.') readInterval(reader);
  else if ((key === 'ARRAY' || key === 'STRUCT') && (following.key === '[' || following.key === '<')) {
    readTyped(reader);
  } else if (bareCalls.has(key) && following.key !== '(' && following.key !== '.') {
    reader.facts.functions.add(key.toLowerCase());
    reader.next();
  } else if (following.key !== '(' || !readSpecialCall(reader)) readNameOrCall(reader);
}

/** `ARRAY<INT64>[1, 2]`, `STRUCT<a INT64>(1)`, `ARRAY[1, 2]`. */
function readTyped(reader: Reader): void {
  reader.next();
  if (reader.is('<')) readAngles(reader);
  if (reader.is('[')) readMarked(reader);
  else readBracketed(reader);
}

/** `INTERVAL 1 DAY`, `INTERVAL '1' YEAR TO MONTH`, `INTERVAL '1 day'`; with brackets also a function of MySQL. */
function readInterval(reader: Reader): void {
  reader.next();
  readOperand(reader);
  if (reader.takeOneOf(units) && reader.take('TO') && !reader.takeOneOf(units)) reader.fail();
}

function readNameOrCall(reader: Reader): void {
  const parts: string[] = [];
  const first = reader.peek();
  if (
    first.kind === 'word' &&
    !mayBeName(first.key) &&
    !(callableWords.has(first.key) && reader.is('(', 1))
  ) {
    reader.fail();
  }
  parts.push(reader.next().text);
  while (reader.take('.')) {
    if (reader.take('*')) return;
    // Behind a dot any word is a name.
    const part = reader.takeKind('word') ?? reader.expectKind('quoted');
    parts.push(part.text);
  }
  const last = parts.at(-1)!.toLowerCase();
  // Reading a sequence moves it.
  if (parts.length > 1 && (last === 'nextval' || last === 'currval')) throw new Unclear('construct');
  if (!reader.is('(')) return;
  reader.facts.functions.add(parts.join('.').toLowerCase());
  reader.nested(() => readArguments(reader));
  readWindowTail(reader);
}

const truths = ['NULL', 'TRUE', 'FALSE', 'UNKNOWN'];

function takePostfix(reader: Reader): boolean {
  const { dialect } = reader;
  if (reader.take('::')) {
    readType(reader);
    return true;
  }
  if (reader.is('[') && (dialect === 'bigquery' || dialect === 'snowflake')) {
    reader.next();
    readExpression(reader);
    reader.expect(']');
    return true;
  }
  if (dialect === 'snowflake' && reader.is(':')) {
    // value:path.to[0].part
    reader.next();
    if (reader.takeKind('word') === undefined) reader.expectKind('quoted');
    return true;
  }
  if ((dialect === 'bigquery' || dialect === 'snowflake') && reader.is('.')) {
    reader.next();
    if (reader.take('*')) return false;
    if (reader.takeKind('word') === undefined) reader.expectKind('quoted');
    if (reader.is('(')) throw new Unclear('construct');
    return true;
  }
  if (reader.take('COLLATE')) {
    if (reader.takeKind('string') === undefined) reader.name();
    return true;
  }
  if (reader.take('AT', 'TIME', 'ZONE')) {
    readOperand(reader);
    return true;
  }
  if (reader.is('IS') && !reader.is('DISTINCT', 1) && !(reader.is('NOT', 1) && reader.is('DISTINCT', 2))) {
    reader.next();
    reader.take('NOT');
    if (!reader.takeOneOf(truths)) reader.fail();
    return true;
  }
  return false;
}
