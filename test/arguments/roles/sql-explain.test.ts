import { describe, expect, it } from 'vitest';
import { sqlRole } from '../../../src/arguments/roles/sql.ts';
import type { SqlDialect } from '../../../src/sql/query.ts';
import '../../support/sql-grammars.ts';

function judge(dialect: SqlDialect, sql: string, more: object = {}): string | undefined {
  const options = sqlRole.options.parse({ dialect, tables: ['public_data'], ...more });
  return sqlRole.compile(options).judge(sql)?.fault;
}

/** What stands before a query, as analysts and their tools write it. */
const prefixes: Readonly<Record<SqlDialect, readonly string[]>> = {
  postgresql: [
    'EXPLAIN',
    'explain analyze',
    'EXPLAIN VERBOSE',
    'EXPLAIN ANALYZE VERBOSE',
    'EXPLAIN (ANALYZE)',
    'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)',
    'EXPLAIN (ANALYZE true, BUFFERS off, COSTS 0, TIMING 1, SUMMARY, WAL, SETTINGS, MEMORY ON, FORMAT YAML)',
    "EXPLAIN (GENERIC_PLAN, FORMAT 'text')",
    'EXPLAIN (ANALYZE, SERIALIZE TEXT)',
    'EXPLAIN /* why slow? */ ANALYZE',
  ],
  sqlite: ['EXPLAIN', 'EXPLAIN QUERY PLAN', 'explain query plan'],
  mysql: [
    'EXPLAIN',
    'explain analyze',
    'EXPLAIN FORMAT=JSON',
    'EXPLAIN FORMAT = TREE',
    'EXPLAIN ANALYZE FORMAT=TREE',
    'EXPLAIN EXTENDED',
    'EXPLAIN PARTITIONS',
    'EXPLAIN -- why\n',
  ],
  mariadb: ['EXPLAIN', 'EXPLAIN EXTENDED', 'EXPLAIN FORMAT=JSON', 'ANALYZE', 'ANALYZE FORMAT=JSON'],
  transactsql: [],
  bigquery: [],
  snowflake: ['EXPLAIN', 'EXPLAIN USING TEXT', 'explain using json', 'EXPLAIN USING TABULAR'],
};
const explained = (Object.keys(prefixes) as SqlDialect[]).flatMap((dialect) =>
  prefixes[dialect].map((prefix) => ({ dialect, prefix })),
);

describe.each(explained)('$dialect: $prefix', ({ dialect, prefix }) => {
  it('asks of a query what is asked without', () => {
    for (const sql of [
      'SELECT id FROM public_data WHERE id = 1',
      'WITH x AS (SELECT * FROM public_data) SELECT * FROM x;',
    ]) {
      expect(judge(dialect, `${prefix} ${sql}`)).toBeUndefined();
      expect(judge(dialect, `${prefix}\n${sql}`, { maxRows: 10 })).toBe('no-row-limit');
    }
    expect(judge(dialect, `${prefix} SELECT id FROM public_data LIMIT 5`, { maxRows: 10 })).toBeUndefined();
    expect(judge(dialect, `${prefix} SELECT * FROM secret`)).toBe('table-not-allowed');
    expect(judge(dialect, `${prefix} WITH x AS (SELECT * FROM secret) SELECT 1`)).toBe('table-not-allowed');
    expect(judge(dialect, `${prefix} SELECT evil(1) FROM public_data`)).toBe('function-not-allowed');
    expect(judge(dialect, `${prefix} SELECT ? FROM public_data`, { parameters: 'refuse' })).toBeTypeOf(
      'string',
    );
  });

  it('is refused where it is not wanted', () => {
    expect(judge(dialect, `${prefix} SELECT id FROM public_data`, { explain: 'refuse' })).toBeTypeOf(
      'string',
    );
    expect(judge(dialect, 'SELECT id FROM public_data', { explain: 'refuse' })).toBeUndefined();
  });

  it.each([
    '',
    ';',
    ' public_data',
    ' public_data id',
    ' ; SELECT 1',
    ' SELECT 1; SELECT 1',
    ' SELECT 1; DROP TABLE public_data',
    ' SELECT 1; EXPLAIN SELECT 1',
    ' EXPLAIN SELECT 1',
    ' EXPLAIN ANALYZE SELECT 1',
    ' ANALYZE ANALYZE SELECT 1',
    ' (EXPLAIN SELECT 1)',
    ' (DELETE FROM public_data)',
    ' DELETE FROM public_data',
    ' UPDATE public_data SET id = 1',
    ' INSERT INTO public_data SELECT * FROM public_data',
    ' REPLACE INTO public_data VALUES (1)',
    ' WITH x AS (DELETE FROM public_data RETURNING *) SELECT * FROM x',
    ' WITH x AS (SELECT 1) DELETE FROM public_data',
    ' SELECT * INTO x FROM public_data',
    " SELECT 1 INTO OUTFILE 'x'",
    ' SELECT * FROM public_data FOR UPDATE',
    ' CREATE TABLE x AS SELECT 1',
    ' CREATE MATERIALIZED VIEW x AS SELECT 1',
    ' DECLARE c CURSOR FOR SELECT 1',
    ' REFRESH MATERIALIZED VIEW public_data',
    ' EXECUTE x',
    ' CALL p()',
    ' MERGE INTO public_data USING public_data s ON 1 = 1 WHEN MATCHED THEN DELETE',
    ' TRUNCATE public_data',
    ' PRAGMA user_version',
    " ATTACH 'x' AS y",
    ' FOR CONNECTION 1',
    ' FOR SCHEMA secret SELECT id FROM public_data',
    ' INTO @x SELECT 1',
    ' FORMAT=EVIL SELECT 1',
    ' FORMAT=JSON INTO @x SELECT 1',
    ' FORMAT=JSON FOR CONNECTION 1',
    ' USING EVIL SELECT 1',
    ' (EVIL) SELECT 1',
    ' (ANALYZE, EVIL) SELECT 1',
    ' (FORMAT EVIL) SELECT 1',
    ' ("Format" json) SELECT 1',
    ' (ANALYZE 2) SELECT 1',
    ' (ANALYZE 1.5) SELECT 1',
    ' /*! DELETE FROM public_data */ SELECT 1',
    ' /*+ SET_VAR(x = 1) */ SELECT 1',
    ' /* /* */ SELECT 1 */ DELETE FROM public_data',
    ' --\r DELETE FROM public_data',
    " SELECT '\\'; DELETE FROM public_data -- '; x",
    '\0 SELECT 1',
  ])('never passes with %j', (rest) => expect(judge(dialect, prefix + rest)).toBeTypeOf('string'));
});

describe('what is no plan of a query', () => {
  it.each([
    ['transactsql', 'EXPLAIN SELECT 1'],
    ['bigquery', 'EXPLAIN SELECT 1'],
    ['bigquery', 'EXPLAIN ANALYZE SELECT 1'],
    ['postgresql', 'ANALYZE SELECT 1'],
    ['postgresql', 'ANALYZE public_data'],
    ['mysql', 'ANALYZE SELECT 1'],
    ['mysql', 'ANALYZE TABLE public_data'],
    ['mysql', 'ANALYZE FORMAT=JSON SELECT 1'],
    ['mysql', 'EXPLAIN ANALYZE TABLE public_data'],
    ['mysql', 'EXPLAIN EXTENDED ANALYZE SELECT 1'],
    ['mysql', 'EXPLAIN USING JSON SELECT 1'],
    ['mysql', 'EXPLAIN FORMAT JSON SELECT 1'],
    ['mysql', 'DESC public_data'],
    ['mysql', 'DESCRIBE SELECT 1'],
    ['mariadb', 'ANALYZE TABLE public_data'],
    ['mariadb', 'ANALYZE FORMAT=JSON TABLE public_data'],
    ['mariadb', 'ANALYZE LOCAL TABLE public_data'],
    ['snowflake', 'EXPLAIN ANALYZE SELECT 1'],
    ['snowflake', 'EXPLAIN FORMAT=JSON SELECT 1'],
    ['snowflake', 'EXPLAIN TABLE public_data'],
    ['sqlite', 'EXPLAIN ANALYZE SELECT 1'],
    ['sqlite', 'EXPLAIN QUERY SELECT 1'],
  ] as const)('%s refuses %s', (dialect, sql) => expect(judge(dialect, sql)).toBeTypeOf('string'));
});

describe('a write that is explained', () => {
  it.each([
    ['DELETE FROM public_data', 'delete'],
    ['UPDATE public_data SET id = 1', 'update'],
    ['INSERT INTO public_data VALUES (1)', 'insert'],
  ])('is a write: %s', (sql, kind) => {
    for (const [dialect, prefix] of [
      ['postgresql', 'EXPLAIN'],
      ['postgresql', 'EXPLAIN ANALYZE'],
      ['sqlite', 'EXPLAIN QUERY PLAN'],
    ] as const) {
      expect(judge(dialect, `${prefix} ${sql}`)).toBe('statement-not-allowed');
      expect(judge(dialect, `${prefix} ${sql}`, { statements: ['select', kind] })).toBeUndefined();
      expect(judge(dialect, `${prefix} ${sql}`, { statements: ['select', kind], tables: ['other'] })).toBe(
        'table-not-allowed',
      );
    }
  });
});
