import { Unclear } from './query.ts';
import type { Reader } from './reader.ts';

const mysqlFormats = ['TRADITIONAL', 'TRADITIONAL_STRICT', 'JSON', 'TREE'];
const snowflakeFormats = ['TEXT', 'JSON', 'TABULAR'];

/**
 * Takes what asks for the plan of the query behind it, where the dialect has that. MySQL's `EXPLAIN table`, `EXPLAIN FOR
 * CONNECTION`, `EXPLAIN FOR SCHEMA` (which finds tables elsewhere) and `INTO @variable` are none of it.
 *
 * @returns whether there was such a thing; then a query must follow
 */
export function takeExplain(reader: Reader): boolean {
  const { dialect } = reader;
  if (dialect === 'mysql' || dialect === 'mariadb') {
    if (reader.take('EXPLAIN')) {
      if (!reader.takeOneOf(['EXTENDED', 'PARTITIONS'])) reader.take('ANALYZE');
    } else if (dialect === 'mysql' || !reader.take('ANALYZE')) return false;
    if (reader.take('FORMAT', '=')) expectOneOf(reader, mysqlFormats);
  } else if (dialect === 'snowflake') {
    if (!reader.take('EXPLAIN')) return false;
    if (reader.take('USING')) expectOneOf(reader, snowflakeFormats);
  } else return false;
  // `TABLE t` is a query as well, but MariaDB's `ANALYZE TABLE t` is another statement.
  if (!reader.isOneOf(['SELECT', 'WITH', '('])) throw new Unclear('statement');
  return true;
}

function expectOneOf(reader: Reader, words: readonly string[]): void {
  if (!reader.takeOneOf(words)) reader.fail();
}
