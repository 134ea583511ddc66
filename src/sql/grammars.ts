import type { FactCollector, SqlDialect } from './query.ts';

/** Reads one statement. @throws Unclear, and whatever a parser throws for what is no SQL */
export type ReadStatement = (sql: string) => FactCollector;

/**
 * Grammars that are packages of their own: some 15 MB and 50 ms of a start, which only a policy with the role `sql` in
 * their dialect is worth. Loading is asynchronous, reading is not.
 */
const packaged: ReadonlyMap<SqlDialect, () => Promise<ReadStatement>> = new Map([
  ['postgresql', async () => (await import('./postgresql.ts')).readPostgres],
  ['sqlite', async () => (await import('./sqlite.ts')).readSqlite],
] satisfies [SqlDialect, () => Promise<ReadStatement>][]);

const loaded = new Map<SqlDialect, ReadStatement>();

/** A rule needs a grammar that was not loaded. */
export class GrammarMissing extends Error {
  readonly dialect: SqlDialect;

  constructor(dialect: SqlDialect) {
    super(`the grammar of ${dialect} is not loaded`);
    this.name = 'GrammarMissing';
    this.dialect = dialect;
  }
}

/** Loads the grammar of a dialect, where it is not part of this room. It stays. */
export async function loadGrammar(dialect: SqlDialect): Promise<void> {
  const load = packaged.get(dialect);
  if (load !== undefined && !loaded.has(dialect)) loaded.set(dialect, await load());
}

/**
 * @returns undefined for a dialect whose grammar is part of this room
 * @throws GrammarMissing
 */
export function grammarOf(dialect: SqlDialect): ReadStatement | undefined {
  const grammar = loaded.get(dialect);
  if (grammar === undefined && packaged.has(dialect)) throw new GrammarMissing(dialect);
  return grammar;
}
