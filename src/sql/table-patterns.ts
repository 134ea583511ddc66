import { normalForm } from '../values/normal-form.ts';
import { lowerAscii, type SqlDialect, type TableName } from './query.ts';

/** One part of a pattern: a name, or text with stars that stand for any characters of that part. */
interface Part {
  readonly text: string;
  readonly glob: boolean;
}

/**
 * Splits a pattern such as `public.orders`, `sales.*` or `"Sales"."Order Lines"` into its parts.
 *
 * @returns undefined for what is no pattern: empty, more than three parts, a quote that does not end
 */
export function splitTablePattern(pattern: string): readonly { text: string; quoted: boolean }[] | undefined {
  const parts: { text: string; quoted: boolean }[] = [];
  const part = /(?:"((?:[^"]|"")+)"|([^".\s]+))(?:\.(?=.)|$)/y;
  while (part.lastIndex < pattern.length) {
    const match = part.exec(pattern);
    if (match === null) return undefined;
    const [, quoted, plain] = match;
    parts.push(
      quoted === undefined
        ? { text: plain!, quoted: false }
        : { text: quoted.replaceAll('""', '"'), quoted: true },
    );
  }
  return parts.length > 0 && parts.length <= 3 ? parts : undefined;
}

/**
 * Compiles an allow-list of tables. A pattern is written as the table is in SQL: without quotes it folds as the dialect
 * folds, in double quotes it is exact.
 *
 * A table has as many parts as the pattern that allows it: `orders` does not allow `private.orders`, and the other way
 * round. A star never stands for a name of the database's own catalogue.
 *
 * @param patterns as {@link splitTablePattern} takes them; undefined allows all tables outside the catalogue
 */
export function compileTables(
  patterns: readonly string[] | undefined,
  dialect: SqlDialect,
): (table: TableName) => boolean {
  const compiled = (patterns ?? ['*', '*.*', '*.*.*']).map((pattern) =>
    (splitTablePattern(pattern) ?? []).map((part) => toPart(part, dialect)),
  );
  return (table) => compiled.some((parts) => matches(parts, table, dialect));
}

function toPart({ text, quoted }: { text: string; quoted: boolean }, dialect: SqlDialect): Part {
  return { text: fold(text, quoted, dialect), glob: !quoted && text.includes('*') };
}

function fold(text: string, quoted: boolean, dialect: SqlDialect): string {
  if (dialect === 'sqlite' || dialect === 'transactsql') return lowerAscii(text);
  if (quoted) return text;
  if (dialect === 'postgresql') return lowerAscii(text);
  return dialect === 'snowflake' ? text.toUpperCase() : text;
}

function matches(parts: readonly Part[], table: TableName, dialect: SqlDialect): boolean {
  if (parts.length !== table.length) return false;
  // Whoever spells out a schema of the catalogue may use stars for what is in it.
  let spelled = false;
  return parts.every(({ text, glob }, at) => {
    const name = table[at]!;
    const own = belongsToCatalogue(name, at, table.length, dialect);
    if (own && glob && !spelled) return false;
    spelled ||= own;
    return glob ? matchesGlob(text, name) : text === name;
  });
}

/** Linear in the name for each star: no backtracking. */
function matchesGlob(glob: string, name: string): boolean {
  const pieces = glob.split('*');
  const first = pieces.shift()!;
  const last = pieces.pop()!;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}

const catalogues: Readonly<Record<SqlDialect, { schema: RegExp; table?: RegExp; alone?: RegExp }>> = {
  // An unqualified name is looked for in pg_catalog first.
  postgresql: { schema: /^(?:pg_.*|information_schema)$/s, alone: /^pg_/ },
  // Tables of the schema, and table-valued functions, which need no brackets.
  sqlite: {
    schema: /^$/,
    table:
      /^(?:sqlite_.*|pragma_.*|dbstat|bytecode|tables_used|completion|json_each|json_tree|jsonb_each|jsonb_tree|generate_series|fsdir|zipfile|fts\dvocab)$/s,
  },
  mysql: { schema: /^(?:information_schema|mysql|performance_schema|sys)$/ },
  mariadb: { schema: /^(?:information_schema|mysql|performance_schema|sys)$/ },
  // dbo.sysobjects and the like are views of sys under every schema.
  transactsql: { schema: /^(?:sys|information_schema|master|msdb|model|tempdb|resource)$/, table: /^sys/ },
  bigquery: {
    schema: /^(?:information_schema|region-.*)$/s,
    table: /^(?:__.*|information_schema\..*)$/s,
  },
  snowflake: { schema: /^(?:information_schema|snowflake)$/ },
};

function belongsToCatalogue(name: string, at: number, parts: number, dialect: SqlDialect): boolean {
  const { schema, table, alone } = catalogues[dialect];
  const folded = foldLoosely(name);
  if (at < parts - 1) return schema.test(folded);
  return table?.test(folded) === true || (parts === 1 && alone?.test(folded) === true);
}

/** As the most lenient collation might: case, width, accents, `ß` for `s`. */
function foldLoosely(name: string): string {
  if (/^[\x20-\x40\x5b-\x7e]*$/.test(name)) return name;
  return normalForm(name, 'NFKD')
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase()
    .replace(/\u00df/g, 's')
    .replace(/\u0131/g, 'i');
}
