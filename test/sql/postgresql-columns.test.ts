import { describe, expect, test } from 'vitest';
import { sqlRole } from '../../src/arguments/roles/sql.ts';
import '../support/sql-grammars.ts';

const role = sqlRole.compile(sqlRole.options.parse({ dialect: 'postgresql' }));

describe('column notation of PostgreSQL that calls a function', () => {
  test.each([
    "SELECT t.pg_read_file FROM unnest(ARRAY['/etc/passwd']) t",
    "SELECT unnest.pg_read_file FROM unnest(ARRAY['/etc/passwd'])",
    "SELECT t.pg_read_file FROM unnest(ARRAY['/etc/passwd']) t(x)",
    'SELECT 1 WHERE EXISTS (SELECT t.pg_sleep FROM generate_series(1, 9) AS t)',
    "SELECT ('/etc/passwd'::text).pg_read_file",
    "SELECT (('/etc/passwd'::text).pg_read_file)",
    'SELECT (9.0::float8)."pg_sleep"',
    'SELECT (a.b).lo_unlink FROM a',
  ])('is refused: %s', (sql) => {
    expect(role.judge(sql)?.fault).toBe('function-not-allowed');
  });

  test('is refused on a value whose name in FROM only the grammar knows', () => {
    const sql = "SELECT coalesce.pg_read_file FROM coalesce('/etc/passwd'::text)";
    expect(role.judge(sql)?.fault).toBe('construct-not-allowed');
  });

  test.each([
    'SELECT o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer',
    'SELECT e.key, e.value FROM orders o, jsonb_each(o.data) e',
    'SELECT (jsonb_each(data)).key FROM orders',
    'SELECT d.day FROM generate_series(1, 9) AS d(day)',
    'SELECT d.d FROM generate_series(1, 9) AS d',
    'SELECT u.item, u.ordinality FROM orders o, unnest(o.items) WITH ORDINALITY AS u(item, ordinality)',
    "SELECT x.a FROM jsonb_to_recordset('[]') AS x(a int, b text)",
    'SELECT s.total FROM (SELECT sum(total) AS total FROM orders) s',
  ])('leaves columns alone: %s', (sql) => {
    expect(role.judge(sql)).toBeUndefined();
  });
});
