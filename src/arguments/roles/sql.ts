import type { z } from 'zod';
import { grammarOf } from '../../sql/grammars.ts';
import type { Misunderstanding, SqlFacts } from '../../sql/query.ts';
import { safeFunctions } from '../../sql/safe-functions.ts';
import { compileTables } from '../../sql/table-patterns.ts';
import { understandSql } from '../../sql/understand.ts';
import type { JsonValue } from '../../values/json.ts';
import { remembered } from '../../values/remembered.ts';
import type { RoleFault, RoleKind } from '../role.ts';
import { sqlOptions } from './sql-options.ts';

/**
 * One statement of SQL, understood by a grammar of its dialect: what cannot be parsed, or has a part that the grammar's
 * allow-list does not name, is refused. What is allowed is said in kinds of statement, tables and functions.
 *
 * Not promised: that a query is cheap, and that views, or functions of the database's owner under the name of a harmless
 * one, are what their names say.
 */
export const sqlRole = {
  name: 'sql',
  options: sqlOptions,
  compile(options) {
    // What cannot be judged must not compile: see with-grammars.ts.
    grammarOf(options.dialect);
    const allows = compileFacts(options);
    // A grammar takes some fifty microseconds for a short query, ten times as long as all else about a call.
    const judgeText = remembered((text): RoleFault | undefined => {
      const understanding = understandSql(text, options.dialect);
      return understanding.ok ? allows(understanding.facts) : misunderstood[understanding.fault];
    });
    return {
      name: 'sql',
      secret: false,
      judge(value: JsonValue): RoleFault | undefined {
        if (typeof value !== 'string') return faults.type;
        if (value.length > options.maxLength) return faults.length;
        return judgeText(value);
      },
    };
  },
} satisfies RoleKind<typeof sqlOptions>;

function compileFacts(options: z.output<typeof sqlOptions>): (facts: SqlFacts) => RoleFault | undefined {
  const { dialect, maxRows } = options;
  const kinds = new Set(options.statements);
  const allowsTable = compileTables(options.tables, dialect);
  const safe = safeFunctions(dialect);
  const named = new Set(
    options.functions.filter((name) => name !== 'safe').map((name) => name.toLowerCase()),
  );
  const allowsSafe = options.functions.includes('safe');
  const allowsFunction = (name: string): boolean => named.has(name) || (allowsSafe && isSafe(name));
  // SAFE.f is f with another way to fail.
  const isSafe = (name: string): boolean =>
    safe.has(name) ||
    (dialect === 'bigquery' && name.startsWith('safe.') && safe.has(name.slice('safe.'.length)));

  return (facts) => {
    if (![...facts.kinds].every((kind) => kinds.has(kind))) return faults.statement;
    if (facts.explained && options.explain === 'refuse') return faults.explain;
    if (!facts.tables.every(allowsTable)) return faults.table;
    if (![...facts.functions].every(allowsFunction)) return faults.function;
    if (facts.comments && options.comments === 'refuse') return faults.comment;
    if (facts.parameters && options.parameters === 'refuse') return faults.parameter;
    if (maxRows !== undefined && (facts.rowLimit === undefined || facts.rowLimit > maxRows))
      return faults.rows;
    return undefined;
  };
}

const faults = {
  type: { fault: 'type', allow: 'send the query as a string' },
  length: { fault: 'too-long', allow: '`maxLength` is the most characters a query may have' },
  statement: {
    fault: 'statement-not-allowed',
    allow: '`statements` lists the kinds of statement that may be sent',
  },
  explain: { fault: 'statement-not-allowed', allow: 'send the statement itself, or set `explain: allow`' },
  table: {
    fault: 'table-not-allowed',
    allow: '`tables` lists the tables that may be named, with their schema where the query names it',
  },
  function: { fault: 'function-not-allowed', allow: '`functions` lists the functions that may be called' },
  comment: { fault: 'comment', allow: 'send no comments, or set `comments: allow`' },
  parameter: { fault: 'parameter', allow: 'send no placeholders, or set `parameters: allow`' },
  rows: {
    fault: 'no-row-limit',
    allow: 'end the outermost query in LIMIT, TOP or FETCH FIRST with a plain number of at most `maxRows`',
  },
} as const satisfies Readonly<Record<string, RoleFault>>;

const misunderstood: Readonly<Record<Misunderstanding, RoleFault>> = {
  unparsable: { fault: 'unparsable', allow: 'send one query in the SQL of `dialect`' },
  ambiguous: {
    fault: 'ambiguous-string',
    allow: 'double a quote inside a string instead of putting a backslash before it',
  },
  comment: {
    fault: 'active-comment',
    allow: 'send no hints, no version comments, no comments in comments; end line comments in a line feed',
  },
  'too-deep': { fault: 'too-deep', allow: 'nest fewer brackets and subqueries, and list fewer values' },
  'statement-count': { fault: 'not-one-statement', allow: 'send exactly one statement' },
  statement: faults.statement,
  construct: {
    fault: 'construct-not-allowed',
    allow:
      'no setting allows this: no INTO, no locks, no variables, no sampling methods, no casts to names of objects',
  },
};
