import type { Reader } from './reader.ts';
import { mayBeName, typeWords } from './words.ts';

/** Reads a type: `DECIMAL(10, 2)`, `CHAR(10) CHARACTER SET utf8mb4`, `ARRAY<STRUCT<a INT64>>`, `varchar(max)`. */
export function readType(reader: Reader): void {
  const first = reader.expectKind('word');
  if (!mayBeName(first.key)) reader.fail();
  if (reader.is('<')) readAngles(reader);
  if (reader.take('(')) {
    reader.list(() => {
      if (reader.takeKind('number') === undefined) reader.expect('MAX');
    });
    reader.expect(')');
  }
  while (reader.takeOneOf(typeWords));
  if (reader.take('SET')) reader.expectKind('word');
  if (reader.take('WITH', 'TIME', 'ZONE')) return;
  reader.take('WITHOUT', 'TIME', 'ZONE');
}

/** Between angle brackets stand names and types only: no expression, so nothing in there can name a table. */
export function readAngles(reader: Reader): void {
  let depth = 0;
  do {
    if (reader.take('<')) depth++;
    else if (reader.take('>')) depth--;
    else if (reader.take('>>')) depth -= 2;
    else if (!reader.takeOneOf([',', '(', ')']) && reader.takeKind('number') === undefined) {
      if (reader.takeKind('quoted') === undefined && !mayBeName(reader.expectKind('word').key)) reader.fail();
    }
  } while (depth > 0);
  if (depth < 0) reader.fail();
}
