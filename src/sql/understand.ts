import { takeExplain } from './explain.ts';
import { grammarOf } from './grammars.ts';
import { readQuery, startsQuery } from './queries.ts';
import { type FactCollector, type SqlDialect, Unclear, type Understanding } from './query.ts';
import { Reader } from './reader.ts';
import { type Scan, scan } from './scan.ts';
import { structural } from './words.ts';

// Control characters but tab, LF and CR, and halves of surrogate pairs: some databases stop at NUL, and none of these
// stands in an honest query.
const strange = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\p{Surrogate}/u;

/**
 * Finds out what a text of SQL does. Total: whatever happens in a grammar is a misunderstanding.
 *
 * The text must have been bounded in length by the caller; nesting is bounded here, before any grammar runs. A grammar that
 * is not loaded understands nothing.
 */
export function understandSql(sql: string, dialect: SqlDialect): Understanding {
  try {
    if (strange.test(sql)) throw new Unclear('unparsable');
    const scanned = scan(sql, dialect);
    if (scanned.tokens.length === 0) throw new Unclear('statement-count');
    const facts = read(sql, dialect, scanned);
    return { ok: true, facts: facts.facts(scanned.comments) };
  } catch (error) {
    // A parser that runs out of stack or memory has not understood either.
    return { ok: false, fault: error instanceof Unclear ? error.fault : 'unparsable' };
  }
}

function read(sql: string, dialect: SqlDialect, scanned: Scan): FactCollector {
  checkEnd(scanned);
  return grammarOf(dialect)?.(sql) ?? readDialect(dialect, scanned);
}

/** At most one semicolon, and nothing behind it. */
function checkEnd({ tokens }: Scan): void {
  const semicolon = tokens.findIndex(({ key }) => key === ';');
  if (semicolon === 0 || (semicolon !== -1 && semicolon < tokens.length - 1))
    throw new Unclear('statement-count');
}

/** Reads one query with the grammar of this room. */
function readDialect(dialect: SqlDialect, { tokens }: Scan): FactCollector {
  const reader = new Reader(tokens, dialect);
  reader.facts.explained = takeExplain(reader);
  if (!startsQuery(reader) && !reader.is('(')) {
    const { kind, key } = reader.peek();
    throw new Unclear(
      kind === 'word' && (structural.has(key) || otherStatements.has(key)) ? 'statement' : 'unparsable',
    );
  }
  reader.facts.kinds.add('select');
  reader.facts.rowLimit = readQuery(reader);
  reader.take(';');
  if (reader.peek().kind !== 'end') reader.fail();
  return reader.facts;
}

/** Words that begin statements; those that are structural as well are left out. */
const otherStatements: ReadonlySet<string> = new Set(
  (
    'ANALYZE ATTACH BACKUP BEGIN COMMIT COPY DENY DESC DESCRIBE DO EXPLAIN EXPORT FLUSH GET HANDLER IF KILL LIST LOAD ' +
    'LOCK OPTIMIZE PUT RECEIVE REMOVE RENAME REPLACE RESET RESTORE ROLLBACK SAVEPOINT SHOW SHUTDOWN START UNDROP USE ' +
    'WAITFOR WHILE'
  ).split(' '),
);
