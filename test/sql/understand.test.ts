import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sqlDialects } from '../../src/sql/query.ts';
import { understandSql } from '../../src/sql/understand.ts';
import '../support/sql-grammars.ts';

const pieces = fc.constantFrom(
  ...(
    'SELECT FROM WHERE WITH AS ( ) ( ) , . ; * a b t 1 2.5 \'s\' "q" `k` [x] -- /* */ + - = || :: -> : ? $1 @p CASE ' +
    'WHEN THEN ELSE END CAST INT IN NOT NULL IS AND OR LIKE BETWEEN OVER PARTITION BY ORDER GROUP HAVING LIMIT OFFSET ' +
    'UNION ALL JOIN LEFT ON USING VALUES ROW TABLE LATERAL UNNEST INTERVAL DAY EXISTS ARRAY < > STRUCT TOP FETCH FIRST ' +
    "ROWS ONLY PIVOT FOR QUALIFY WINDOW FILTER WITHIN { } ' \" ` [ ] \\ $$ E'"
  ).split(' '),
);

describe('understandSql', () => {
  it('answers for every text, in every dialect', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...sqlDialects),
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 200 }),
          fc.array(pieces, { maxLength: 60 }).map((list) => list.join(' ')),
          fc.array(pieces, { maxLength: 60 }).map((list) => `SELECT ${list.join('')}`),
        ),
        (dialect, sql) => {
          expect(understandSql(sql, dialect)).toHaveProperty('ok');
        },
      ),
      { numRuns: 4000 },
    );
  });

  const nests: readonly [string, string, string][] = [
    ['(', '1', ')'],
    ['(SELECT ', '1', ')'],
    ['CASE WHEN 1 THEN ', '1', ' END'],
    ['CASE ', '1', ' END'],
    ['lower(', 'a', ')'],
    ['NOT ', '1', ''],
    ['- ', '1', ''],
    ['1+', '1', ''],
    ['a AND ', '1', ''],
    ["'a'||", "'b'", ''],
    ['[', '1', ']'],
    ['ARRAY[', '1', ']'],
    ['(', '', ''],
    ['', '', ')'],
    ['CAST(', '1', ' AS INT)'],
    ['EXISTS (SELECT ', '1', ')'],
    ['1 IN (', '1', ')'],
    ['a.', 'b', ''],
    ['INTERVAL ', '1', ' DAY'],
    ['STRUCT<', 'INT64', '>'],
    ['{', '', '}'],
    ["'", '', ''],
    ['"', '', ''],
    ['/*', '', '*/'],
    ['$a$', '', ''],
    ['\\', '', ''],
    ["'\\", '', ''],
  ];

  it.each(sqlDialects)('outlives nesting without end in %s', (dialect) => {
    for (const [open, inside, close] of nests) {
      for (const deep of [100, 1000, 20_000]) {
        const sql = `SELECT ${open.repeat(deep)}${inside}${close.repeat(deep)}`;
        expect(understandSql(sql, dialect)).toHaveProperty('ok');
      }
      // And goes on working.
      expect(understandSql('SELECT 1', dialect).ok).toBe(true);
    }
  });

  it('tells the most rows only of a plain number at the very end', () => {
    const limit = (sql: string) => {
      const understood = understandSql(sql, 'postgresql');
      return understood.ok ? understood.facts.rowLimit : understood.fault;
    };
    expect(limit('SELECT 1 LIMIT 5')).toBe(5);
    expect(limit('SELECT 1 LIMIT 0')).toBe(0);
    expect(limit('SELECT 1 LIMIT 5.0')).toBeUndefined();
    expect(limit('SELECT 1')).toBeUndefined();
  });
});
