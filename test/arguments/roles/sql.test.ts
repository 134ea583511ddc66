import { describe, expect, it } from 'vitest';
import { sqlRole } from '../../../src/arguments/roles/sql.ts';
import '../../support/sql-grammars.ts';

function judge(options: Record<string, unknown>, value: unknown): string | undefined {
  return sqlRole.compile(sqlRole.options.parse(options)).judge(value as never)?.fault;
}

function problems(options: Record<string, unknown>): readonly string[] {
  return (sqlRole.options.safeParse(options).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
}

describe('the options of sql', () => {
  it('need a dialect and nothing else', () => {
    expect(problems({ dialect: 'sqlite' })).toEqual([]);
    expect(problems({})).toHaveLength(1);
    expect(problems({ dialect: 'oracle' })).toHaveLength(1);
    expect(problems({ dialect: 'sqlite', tabels: ['a'] })).toHaveLength(1);
  });

  it('take statements that write only where the grammar knows them', () => {
    expect(problems({ dialect: 'postgresql', statements: ['select', 'insert', 'update', 'delete'] })).toEqual(
      [],
    );
    expect(problems({ dialect: 'mysql', statements: ['select'] })).toEqual([]);
    expect(problems({ dialect: 'mysql', statements: ['select', 'delete'] })).toEqual([
      'statements: only `select` is understood in dialect mysql',
    ]);
    expect(problems({ dialect: 'sqlite', statements: ['drop'] })).toHaveLength(1);
    expect(problems({ dialect: 'sqlite', statements: [] })).toHaveLength(1);
  });

  it.each(['orders', 'sales.*', '*', 'a.b.c', '"Order Lines"', '"a""b"."c.d"', 'my-project.shop.events_*'])(
    'take %j as a table',
    (pattern) => expect(problems({ dialect: 'bigquery', tables: [pattern] })).toEqual([]),
  );

  it.each(['', '.', 'a.', '.a', 'a..b', 'a.b.c.d', 'a b', '"a', 'a"b', '""', ' a', 'a '])(
    'refuse %j as a table',
    (pattern) => expect(problems({ dialect: 'bigquery', tables: [pattern] })).toHaveLength(1),
  );

  it.each(['', 'a b', 'f()', "f'", '.f', 'f.'])('refuse %j as a function', (name) =>
    expect(problems({ dialect: 'sqlite', functions: [name] })).toHaveLength(1),
  );
});

describe('what is judged', () => {
  it.each([null, true, 1, ['SELECT 1'], { sql: 'SELECT 1' }])('%j is no text', (value) =>
    expect(judge({ dialect: 'sqlite' }, value)).toBe('type'),
  );

  it('is bounded in length before anything else', () => {
    expect(judge({ dialect: 'sqlite', maxLength: 8 }, 'SELECT 1')).toBeUndefined();
    expect(judge({ dialect: 'sqlite', maxLength: 8 }, 'SELECT 1;')).toBe('too-long');
    expect(judge({ dialect: 'sqlite' }, `SELECT '${'a'.repeat(9991)}'`)).toBeUndefined();
    expect(judge({ dialect: 'sqlite' }, `SELECT '${'a'.repeat(9992)}'`)).toBe('too-long');
  });

  it.each([
    ['SELECT 1; SELECT 2', 'not-one-statement'],
    ['PRAGMA user_version', 'statement-not-allowed'],
    ['DELETE FROM a', 'statement-not-allowed'],
    ['SELECT RAISE(IGNORE)', 'construct-not-allowed'],
    ['SELECT * FROM b', 'table-not-allowed'],
    ['SELECT randomblob(1)', 'function-not-allowed'],
    ['SELECT 1 /*! 2 */', 'active-comment'],
    ['SELEC 1', 'unparsable'],
    [`SELECT ${'('.repeat(101)}1${')'.repeat(101)}`, 'too-deep'],
    [`SELECT ${'1,'.repeat(2500)}1`, 'too-deep'],
  ])('%s: %s', (sql, fault) => expect(judge({ dialect: 'sqlite', tables: ['a'] }, sql)).toBe(fault));

  it('never stands in the answer', () => {
    for (const dialect of ['postgresql', 'sqlite', 'mysql']) {
      for (const sql of [
        'SELECT hunter2(1)',
        'SELECT * FROM hunter2',
        "SELECT 'hunter2",
        'DROP TABLE hunter2',
        'hunter2',
      ]) {
        const fault = sqlRole.compile(sqlRole.options.parse({ dialect, tables: ['a'] })).judge(sql);
        expect(JSON.stringify(fault)).not.toContain('hunter2');
      }
    }
  });
});

describe('statements', () => {
  const all = { statements: ['select', 'insert', 'update', 'delete'], tables: ['a', 'b'] };
  const writing = ['insert', 'update', 'delete'];

  it.each([
    ['INSERT INTO a SELECT * FROM b', 'insert'],
    [
      'INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2 WHERE a.id > 1 RETURNING id',
      'insert',
    ],
    ['INSERT INTO a DEFAULT VALUES', 'insert'],
    ['UPDATE a SET x = (SELECT max(x) FROM b) WHERE id = 1', 'update'],
    ['UPDATE a SET x = b.x FROM b WHERE b.id = a.id RETURNING *', 'update'],
    ['DELETE FROM a WHERE id IN (SELECT id FROM b)', 'delete'],
    ['WITH x AS (SELECT 1) DELETE FROM a WHERE id IN (SELECT * FROM x)', 'delete'],
  ])('%s', (sql, kind) => {
    for (const dialect of ['postgresql', 'sqlite']) {
      expect(judge({ dialect, ...all }, sql)).toBeUndefined();
      expect(judge({ dialect, ...all, tables: ['b'] }, sql)).toBe('table-not-allowed');
      if (sql.includes(' b'))
        expect(judge({ dialect, ...all, tables: ['a'] }, sql)).toBe('table-not-allowed');
      const others = ['select', ...writing.filter((other) => other !== kind)];
      expect(judge({ dialect, ...all, statements: others }, sql)).toBe('statement-not-allowed');
    }
  });

  it('that write are judged in the bodies of CTEs', () => {
    const sql = 'WITH gone AS (DELETE FROM a RETURNING *) SELECT * FROM gone';
    expect(judge({ dialect: 'postgresql', ...all }, sql)).toBeUndefined();
    expect(judge({ dialect: 'postgresql', ...all, statements: ['select'] }, sql)).toBe(
      'statement-not-allowed',
    );
    expect(judge({ dialect: 'postgresql', ...all, tables: ['b'] }, sql)).toBe('table-not-allowed');
  });

  it('write to the table, not to a CTE of its name', () => {
    for (const dialect of ['postgresql', 'sqlite']) {
      const sql = 'WITH secret AS (SELECT 1) DELETE FROM secret';
      expect(judge({ dialect, ...all }, sql)).toBe('table-not-allowed');
    }
  });
});

describe('tables', () => {
  it.each([
    // folding
    ['postgresql', ['orders'], 'ORDERS', true],
    ['postgresql', ['Orders'], 'orders', true],
    ['postgresql', ['orders'], '"Orders"', false],
    ['postgresql', ['"Orders"'], '"Orders"', true],
    ['postgresql', ['"Orders"'], 'Orders', false],
    ['sqlite', ['orders'], '"ORDERS"', true],
    ['mysql', ['orders'], 'Orders', false],
    ['mysql', ['Orders'], '`Orders`', true],
    ['transactsql', ['dbo.orders'], '[DBO].[Orders]', true],
    ['snowflake', ['orders'], 'Orders', true],
    ['snowflake', ['orders'], '"orders"', false],
    ['snowflake', ['orders'], '"ORDERS"', true],
    ['snowflake', ['"orders"'], '"orders"', true],
    ['bigquery', ['shop.orders'], '`shop.orders`', true],
    ['bigquery', ['shop.orders'], '`shop`.orders', true],
    ['bigquery', ['shop.orders'], '`Shop.orders`', false],
    ['bigquery', ['shop.events_*'], '`shop.events_*`', true],
    ['bigquery', ['shop.events_*'], '`shop.events_2024*`', true],
    ['bigquery', ['shop.events_2024*'], '`shop.events_*`', false],
    ['bigquery', ['shop.events_2024'], '`shop.events_*`', false],
    // parts
    ['postgresql', ['orders'], 'public.orders', false],
    ['postgresql', ['public.orders'], 'orders', false],
    ['postgresql', ['public.*'], 'public.anything', true],
    ['postgresql', ['public.*'], 'private.anything', false],
    ['postgresql', ['*.orders'], 'shop.orders', true],
    ['postgresql', ['*'], 'public.orders', false],
    ['postgresql', ['db.public.orders'], 'db.public.orders', true],
    ['postgresql', ['public_*'], 'public_a', true],
    ['postgresql', ['*_public'], 'public_a', false],
    ['postgresql', ['a*b*c'], 'axbxc', true],
    ['postgresql', ['a*b*c'], 'axc', false],
    ['postgresql', ['ab*ba'], 'aba', false],
    ['postgresql', ['"public.orders"'], 'public.orders', false],
    // the catalogue
    ['postgresql', ['*', '*.*'], 'pg_user', false],
    ['postgresql', ['*', '*.*'], 'pg_catalog.pg_user', false],
    ['postgresql', ['*', '*.*'], 'information_schema.tables', false],
    ['postgresql', ['pg_*'], 'pg_user', false],
    ['postgresql', ['pg_user'], 'pg_user', true],
    ['postgresql', ['information_schema.*'], 'information_schema.tables', true],
    ['postgresql', ['public.*'], 'public.pg_like_name', true],
    ['sqlite', ['*', '*.*'], 'sqlite_master', false],
    ['sqlite', ['*', '*.*'], 'main.sqlite_schema', false],
    ['sqlite', ['*', '*.*'], 'pragma_table_list', false],
    ['sqlite', ['*'], 'json_each', false],
    ['sqlite', ['sqlite_master'], 'sqlite_master', true],
    ['mysql', ['*.*'], 'mysql.user', false],
    ['mysql', ['*.*'], 'INFORMATION_SCHEMA.TABLES', false],
    ['mysql', ['*.*'], '`\u00ednformation_schema`.TABLES', false],
    ['mysql', ['*.*'], '`\u00dfys`.x', false],
    ['mysql', ['information_schema.*'], 'information_schema.tables', true],
    ['transactsql', ['*', '*.*'], 'sys.objects', false],
    ['transactsql', ['*', '*.*'], 'dbo.sysobjects', false],
    ['transactsql', ['*', '*.*'], '[\uff53ys].objects', false],
    ['transactsql', ['*.*.*'], 'master.dbo.t', false],
    ['bigquery', ['*.*', '*.*.*'], 'shop.INFORMATION_SCHEMA.TABLES', false],
    ['bigquery', ['*.*', '*.*.*'], '`shop.__TABLES__`', false],
    ['snowflake', ['*.*', '*.*.*'], 'snowflake.account_usage.users', false],
    ['snowflake', ['*.*', '*.*.*'], 'information_schema.tables', false],
  ] as const)('%s %j: %s is allowed: %s', (dialect, tables, name, allowed) => {
    expect(judge({ dialect, tables }, `SELECT * FROM ${name}`)).toBe(
      allowed ? undefined : 'table-not-allowed',
    );
  });

  it('that are not listed at all leave out the catalogue only', () => {
    expect(judge({ dialect: 'postgresql' }, 'SELECT * FROM a, b.c, d.e.f')).toBeUndefined();
    expect(judge({ dialect: 'postgresql' }, 'SELECT * FROM pg_shadow')).toBe('table-not-allowed');
    expect(judge({ dialect: 'sqlite' }, 'SELECT * FROM sqlite_master')).toBe('table-not-allowed');
  });

  it.each([
    'WITH x AS (SELECT * FROM a) SELECT * FROM x',
    'WITH x AS (SELECT * FROM a), y AS (SELECT * FROM x) SELECT * FROM y JOIN x ON 1 = 1',
    'WITH x AS (SELECT 1) SELECT (SELECT 1 FROM x) FROM (SELECT * FROM x) z WHERE 1 IN (SELECT * FROM x)',
  ])('are not CTEs: %s', (sql) => {
    for (const dialect of [
      'postgresql',
      'sqlite',
      'mysql',
      'mariadb',
      'transactsql',
      'bigquery',
      'snowflake',
    ]) {
      expect(judge({ dialect, tables: ['a'] }, sql)).toBeUndefined();
    }
  });
});

describe('functions', () => {
  it('are the safe ones by default', () => {
    expect(judge({ dialect: 'postgresql' }, 'SELECT count(*), lower(a) FROM t')).toBeUndefined();
    expect(judge({ dialect: 'postgresql' }, 'SELECT pg_catalog.lower(a) FROM t')).toBeUndefined();
    expect(judge({ dialect: 'postgresql' }, 'SELECT my_rate(a) FROM t')).toBe('function-not-allowed');
  });

  it('can be added to, or be listed alone', () => {
    const added = { dialect: 'postgresql', functions: ['safe', 'my_rate', 'app.rate'] };
    expect(judge(added, 'SELECT lower(a), my_rate(a), app.rate(a) FROM t')).toBeUndefined();
    expect(judge(added, 'SELECT other.rate(a) FROM t')).toBe('function-not-allowed');
    const alone = { dialect: 'postgresql', functions: ['count'] };
    expect(judge(alone, 'SELECT count(*) FROM t')).toBeUndefined();
    expect(judge(alone, 'SELECT lower(a) FROM t')).toBe('function-not-allowed');
    expect(
      judge({ dialect: 'postgresql', functions: [] }, 'SELECT a + 1, CASE WHEN a THEN b END FROM t'),
    ).toBeUndefined();
  });

  it('that take no brackets are functions too', () => {
    expect(judge({ dialect: 'postgresql' }, 'SELECT current_date')).toBeUndefined();
    expect(judge({ dialect: 'postgresql' }, 'SELECT current_user')).toBe('function-not-allowed');
    expect(
      judge({ dialect: 'postgresql', functions: ['current_user'] }, 'SELECT current_user'),
    ).toBeUndefined();
    expect(judge({ dialect: 'mysql' }, 'SELECT CURRENT_USER')).toBe('function-not-allowed');
  });
});

describe('comments and placeholders', () => {
  it('pass unless refused', () => {
    for (const sql of ['SELECT 1 -- why\n', 'SELECT /* why */ 1', 'SELECT 1 -- at the end']) {
      expect(judge({ dialect: 'mysql' }, sql)).toBeUndefined();
      expect(judge({ dialect: 'mysql', comments: 'refuse' }, sql)).toBe('comment');
    }
    expect(
      judge({ dialect: 'mysql', comments: 'refuse' }, "SELECT '-- no comment /* nor this */'"),
    ).toBeUndefined();
  });

  it.each([
    ['postgresql', '$1'],
    ['sqlite', '?1'],
    ['sqlite', ':name'],
    ['mysql', '?'],
    ['transactsql', '@id'],
    ['bigquery', '@id'],
    ['snowflake', ':1'],
  ])('%s: %s', (dialect, placeholder) => {
    const sql = `SELECT * FROM t WHERE id = ${placeholder}`;
    expect(judge({ dialect }, sql)).toBeUndefined();
    expect(judge({ dialect, parameters: 'refuse' }, sql)).toBe('parameter');
  });
});

describe('strings that the settings of a server end in different places', () => {
  it.each([
    ['mysql', "SELECT 'it\\'s'", undefined],
    ['mysql', "SELECT 'a\\\\', 'b'", undefined],
    ['mysql', "SELECT '\\n', 'it''s'", undefined],
    ['mysql', "SELECT 'a\\' , b FROM t WHERE c = ' or d = '", 'unparsable'],
    ['mysql', "SELECT 'a\\', b -- '", 'ambiguous-string'],
    ['mysql', 'SELECT "a\\", b -- "', 'ambiguous-string'],
    ['postgresql', "SELECT '\\d+'", undefined],
    ['postgresql', "SELECT a LIKE 'b' ESCAPE '\\'", undefined],
    ['postgresql', "SELECT '\\', b -- '", 'ambiguous-string'],
    ['postgresql', "SELECT E'\\', b -- '", undefined],
    ['sqlite', "SELECT '\\', b -- '", undefined],
    ['transactsql', "SELECT '\\', b -- '", undefined],
  ])('%s: %s', (dialect, sql, fault) => expect(judge({ dialect }, sql)).toBe(fault));
});
