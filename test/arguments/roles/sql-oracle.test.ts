import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sqlRole } from '../../../src/arguments/roles/sql.ts';
import '../../support/sql-grammars.ts';

/**
 * SQLite itself as the judge of the role: whatever passes is compiled and run, and the authorizer of SQLite tells which
 * tables it reads and what else it would do.
 */

const folder = mkdtempSync(join(tmpdir(), 'sql-oracle-'));
const file = join(folder, 'data.db');
const setup = new DatabaseSync(file);
setup.exec(`
  CREATE TABLE public_data (id INTEGER PRIMARY KEY, name TEXT, amount REAL, day TEXT, doc TEXT);
  CREATE TABLE secret (id INTEGER PRIMARY KEY, token TEXT, name TEXT, amount REAL);
  CREATE TABLE other (id INTEGER, name TEXT);
  CREATE INDEX by_name ON public_data (name);
  CREATE VIEW leak AS SELECT token AS name, id FROM secret;
  INSERT INTO public_data VALUES (1, 'a', 1.5, '2024-01-01', '[1,2]'), (2, 'b', 2.5, '2024-02-01', '{"a":1}');
  INSERT INTO secret VALUES (1, 'hidden', 'x', 9);
  INSERT INTO other VALUES (1, 'o');
`);
/** Which table a root page belongs to, an index to that of its table. */
const tableOfRoot: ReadonlyMap<unknown, string> = new Map([
  ...setup
    .prepare("SELECT rootpage, tbl_name FROM sqlite_master WHERE type IN ('table', 'index')")
    .all()
    .map(({ rootpage, tbl_name }) => [rootpage, String(tbl_name)] as const),
  [1, 'sqlite_master'],
]);
setup.close();
const before = readFileSync(file);
const database = new DatabaseSync(file, { readOnly: true });

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const role = sqlRole.compile(
  sqlRole.options.parse({ dialect: 'sqlite', tables: ['public_data', 'main.public_data'] }),
);

/** Table-valued functions of the safe list show up as tables. */
const readable = new Set(['public_data', 'json_each', 'json_tree']);
const harmless: ReadonlySet<number> = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
]);

interface Run {
  readonly compiled: boolean;
  readonly reads: ReadonlySet<string>;
  readonly harmful: readonly number[];
  /** What SQLite did not take into the first statement. */
  readonly rest: string;
}

function run(sql: string): Run {
  const reads = new Set<string>();
  const harmful: number[] = [];
  database.setAuthorizer((action, first, column) => {
    // A table of which no column is read has an empty one; a CTE has that too, so those are left to the opcodes.
    if (action === constants.SQLITE_READ && column !== '') reads.add(String(first).toLowerCase());
    // The first use of a table-valued function declares it, inside SQLite's own schema.
    if (action === constants.SQLITE_CREATE_VTABLE || action === constants.SQLITE_UPDATE) {
      if (String(first).startsWith('sqlite_master')) return constants.SQLITE_OK;
    }
    if (!harmless.has(action)) harmful.push(action);
    return constants.SQLITE_OK;
  });
  try {
    const statement = database.prepare(sql);
    const rest = sql.slice(statement.sourceSQL.length);
    const program = statement.sourceSQL.replace(/^\s*EXPLAIN\s+(?:QUERY\s+PLAN\s+)?/i, '');
    for (const { opcode, p2 } of database.prepare(`EXPLAIN ${program}`).all()) {
      if (opcode === 'OpenRead') reads.add(tableOfRoot.get(p2) ?? 'unknown');
    }
    let rows = 0;
    try {
      for (const _ of statement.iterate()) if (++rows === 20) break;
    } catch {
      // Values that do not fit a function at run time.
    }
    return { compiled: true, reads, harmful, rest };
  } catch {
    return { compiled: false, reads, harmful, rest: '' };
  } finally {
    database.setAuthorizer(null);
  }
}

// Declared once here, so that the authorizer does not see it later.
database.prepare("SELECT 1 FROM json_each('[]'), json_tree('[]')").all();

const table = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('public_data', 'PUBLIC_DATA', '"public_data"', '[public_data]') },
  { weight: 2, arbitrary: fc.constantFrom('x', 'y', "json_each('[1]')", 'main.public_data') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'secret',
      'leak',
      'other',
      'main.secret',
      'sqlite_master',
      "'secret'",
      '`secret`',
      'pragma_table_list',
      "pragma_table_info('secret')",
    ),
  },
);
const column = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('1', "'secret'", 'NULL', '2.5', 'rowid') },
  { weight: 3, arbitrary: fc.constantFrom('id', 'a.id', '"name"') },
  { weight: 1, arbitrary: fc.constantFrom('amount', 'name', 'token') },
);
const call = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      'lower',
      'count',
      'sum',
      'max',
      'total',
      'abs',
      'length',
      'date',
      'group_concat',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('randomblob', 'load_extension', 'sqlite_version', 'sqlite_source_id', 'ntile'),
  },
);

const { query } = fc.letrec<{
  query: string;
  expr: string;
  from: string;
  select: string;
  core: string;
  cte: string;
  withs: string;
}>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    column,
    fc
      .tuple(
        tie('expr'),
        fc.constantFrom(
          '+',
          '=',
          '<',
          ' AND ',
          ' OR ',
          '||',
          '->',
          ' IS NOT ',
          ' LIKE ',
          ' COLLATE NOCASE = ',
        ),
        tie('expr'),
      )
      .map((parts) => parts.join('')),
    fc.tuple(call, tie('expr')).map(([name, arg]) => `${name}(${arg})`),
    fc
      .tuple(tie('expr'), fc.constantFrom('id', 'amount'))
      .map(([by, order]) => `count(*) OVER (PARTITION BY ${by} ORDER BY ${order})`),
    tie('query').map((inner) => `(${inner})`),
    tie('query').map((inner) => `EXISTS (${inner})`),
    fc.tuple(tie('expr'), tie('query')).map(([left, inner]) => `${left} IN (${inner})`),
    fc.tuple(tie('expr'), table).map(([left, name]) => `${left} IN ${name}`),
    fc.tuple(tie('expr'), tie('expr')).map(([when, then]) => `CASE WHEN ${when} THEN ${then} ELSE 0 END`),
    tie('expr').map((inner) => `CAST(${inner} AS TEXT)`),
  ),
  from: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    table,
    table.map((name) => `${name} AS a`),
    fc
      .tuple(
        tie('from'),
        fc.constantFrom(', ', ' JOIN ', ' NATURAL JOIN ', ' LEFT JOIN ', ' CROSS JOIN '),
        tie('from'),
      )
      .map((parts) => parts.join('')),
    tie('from').map((inner) => `(${inner})`),
    tie('query').map((inner) => `(${inner}) AS a`),
  ),
  select: fc.oneof(
    fc.tuple(tie('expr'), tie('from')).map(([what, from]) => `SELECT ${what} FROM ${from}`),
    fc
      .tuple(tie('expr'), tie('from'), tie('expr'))
      .map(([what, from, where]) => `SELECT ${what} FROM ${from} WHERE ${where}`),
    fc
      .tuple(tie('expr'), tie('from'), tie('expr'))
      .map(([what, from, by]) => `SELECT ${what}, count(*) FROM ${from} GROUP BY ${by}`),
  ),
  core: fc.oneof(
    { weight: 6, arbitrary: tie('select') },
    { weight: 1, arbitrary: tie('expr').map((what) => `VALUES (${what})`) },
  ),
  cte: fc
    .tuple(
      fc.constantFrom('x', 'y', 'secret', 'public_data', 'other', 'X'),
      fc.constantFrom('', '(id, name)', '(id)'),
      tie('query'),
    )
    .map(([name, columns, inner]) => `${name}${columns} AS (${inner})`),
  withs: fc
    .tuple(fc.constantFrom('WITH ', 'WITH RECURSIVE '), fc.array(tie('cte'), { minLength: 1, maxLength: 3 }))
    .map(([word, ctes]) => `${word}${ctes.join(', ')} `),
  query: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    tie('core'),
    tie('core'),
    fc.tuple(tie('withs'), tie('core')).map((parts) => parts.join('')),
    fc
      .tuple(tie('core'), fc.constantFrom(' UNION ', ' UNION ALL ', ' EXCEPT ', ' INTERSECT '), tie('core'))
      .map((parts) => parts.join('')),
    fc.tuple(tie('select'), tie('expr')).map(([core, by]) => `${core} ORDER BY ${by}`),
    tie('select').map((core) => `${core} LIMIT 5`),
  ),
}));

const splice = fc.constantFrom(
  ';',
  '; DROP TABLE secret',
  ' -- ',
  '\n',
  '/*',
  '*/',
  "'",
  '"',
  '[',
  ']',
  '`',
  '(',
  ')',
  ',',
  ' secret',
  ', secret',
  ' UNION SELECT token FROM secret',
  ' IN secret',
  ' FROM secret',
  'WITH secret AS (SELECT 1) ',
  ' AS public_data',
  '.',
  'main.',
  '$a(',
  '::',
  '\0',
  '\u00a0',
  "x'",
  ' INDEXED BY by_name',
  ' NOT INDEXED',
  ' COLLATE ',
  'EXPLAIN ',
  'PRAGMA ',
  'DELETE FROM public_data',
  ' RETURNING *',
  ' INTO x',
  '?',
  ':a',
  '\\',
  "''",
  '--\n',
  '/**/',
);

const mutated = fc
  .tuple(query, fc.array(fc.tuple(fc.nat(400), fc.nat(4), splice), { maxLength: 2 }))
  .map(([sql, cuts]) =>
    cuts.reduce(
      (text, [at, drop, put]) =>
        text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + drop),
      sql,
    ),
  );

function judgeWithSqlite(sql: string, seen: { passed: number; ran: number; refused: number }): void {
  if (role.judge(sql) !== undefined) {
    seen.refused++;
    return;
  }
  seen.passed++;
  const { compiled, reads, harmful, rest } = run(sql);
  if (compiled) seen.ran++;
  expect([...reads].filter((name) => !readable.has(name))).toEqual([]);
  expect(harmful).toEqual([]);
  expect(rest.replace(/--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\//g, '').trim()).toMatch(/^;?$/);
}

describe('what the role passes, SQLite reads from the allowed table only', () => {
  it('sees what the oracle is asked to see', () => {
    expect(run('SELECT * FROM secret').reads).toEqual(new Set(['secret']));
    expect(run('SELECT count(*) FROM secret').reads).toEqual(new Set(['secret']));
    expect(run('SELECT 1 IN secret').reads).toContain('secret');
    expect(run('SELECT * FROM leak').reads).toContain('secret');
    expect(run('DELETE FROM public_data').harmful).toContain(constants.SQLITE_DELETE);
    expect(run("ATTACH ':memory:' AS z").harmful).toContain(constants.SQLITE_ATTACH);
    expect(run('PRAGMA user_version').harmful).toContain(constants.SQLITE_PRAGMA);
    expect(run('SELECT 1; SELECT 2').rest.trim()).toBe('SELECT 2');
  });

  it('for random queries', () => {
    const seen = { passed: 0, ran: 0, refused: 0 };
    fc.assert(
      fc.property(query, (sql) => judgeWithSqlite(sql, seen)),
      { numRuns: 3000 },
    );
    expect(seen.ran).toBeGreaterThan(60);
    expect(seen.refused).toBeGreaterThan(200);
  });

  it('for random queries with pieces cut out and put in', () => {
    const seen = { passed: 0, ran: 0, refused: 0 };
    fc.assert(
      fc.property(mutated, (sql) => judgeWithSqlite(sql, seen)),
      { numRuns: 5000 },
    );
    expect(seen.ran).toBeGreaterThan(30);
  });

  it('for random queries whose plan is asked for', () => {
    const seen = { passed: 0, ran: 0, refused: 0 };
    fc.assert(
      fc.property(fc.constantFrom('EXPLAIN ', 'EXPLAIN QUERY PLAN '), query, (prefix, sql) => {
        expect(role.judge(prefix + sql)).toEqual(role.judge(sql));
        judgeWithSqlite(prefix + sql, seen);
      }),
      { numRuns: 1500 },
    );
    expect(seen.ran).toBeGreaterThan(30);
    expect(seen.refused).toBeGreaterThan(100);
  });

  it('for every query, with the database unchanged', () => {
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('what SQLite would run on the allowed table, the role passes', () => {
  it('unless it has what the role refuses by name', () => {
    const wrong: string[] = [];
    fc.assert(
      fc.property(query, (sql) => {
        const fault = role.judge(sql)?.fault;
        if (fault === undefined) return;
        const { compiled } = run(sql);
        // Whatever SQLite compiles must have been understood: only tables and functions can be wrong with it.
        if (compiled && fault !== 'table-not-allowed' && fault !== 'function-not-allowed')
          wrong.push(`${fault}: ${sql}`);
      }),
      { numRuns: 3000 },
    );
    expect(wrong).toEqual([]);
  });
});
