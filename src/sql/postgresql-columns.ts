import { Unclear } from './query.ts';

type Node = Readonly<Record<string, unknown>>;

/** What functions of PostgreSQL that return rows call their columns. None of these is a function. */
const outputColumns: ReadonlySet<string> = new Set(['key', 'value', 'ordinality']);

/**
 * Column notation that may be a call: PostgreSQL takes `x.f` for `f(x)` where `x` has no column `f`
 * (its documentation, "Using Composite Types in Queries"). The row of a function in FROM that returns plain values is
 * the value itself, so `SELECT t.pg_read_file FROM unnest(ARRAY['…']) t` reads a file.
 *
 * Rows of tables and subqueries are composite: on those only a function that somebody made for them can be called.
 */
export class ColumnNotation {
  readonly #references: (readonly [qualifier: string, name: string])[] = [];
  /** Columns by alias, in whatever part of the statement it stands: one for each time. */
  readonly #functions = new Map<string, ReadonlySet<string>[]>();

  reference(node: Node): void {
    const parts = node['fields'] as readonly { String?: { sval?: string } }[];
    const qualifier = parts.at(-2)?.String?.sval;
    const name = parts.at(-1)?.String?.sval;
    if (qualifier !== undefined && name !== undefined) this.#references.push([qualifier, name]);
  }

  rangeFunction(node: Node): void {
    const alias = node['alias'] as { aliasname?: string; colnames?: unknown } | undefined;
    const name = alias?.aliasname ?? defaultAlias(node);
    // The grammar names the value of `CAST(…)` or `COALESCE(…)` in FROM by rules of its own.
    if (name === undefined) throw new Unclear('construct');
    const defined = (node['coldeflist'] ?? []) as readonly { ColumnDef?: { colname?: string } }[];
    const columns = new Set([...texts(alias?.colnames), name]);
    for (const { ColumnDef: column } of defined)
      if (column?.colname !== undefined) columns.add(column.colname);
    this.#functions.set(name, [...(this.#functions.get(name) ?? []), columns]);
  }

  /** Names that may stand for calls. */
  *calls(): Generator<string> {
    for (const [qualifier, name] of this.#references) {
      const sources = this.#functions.get(qualifier);
      if (sources === undefined || outputColumns.has(name)) continue;
      if (!sources.every((columns) => columns.has(name))) yield name;
    }
  }
}

/** `(value).f`: the fields of an indirection, each of which may be a call. */
export function* fieldsOf(node: Node): Generator<string> {
  for (const name of texts(node['indirection'])) {
    // ROW(…) names its columns f1, f2 and so on.
    if (!outputColumns.has(name) && !/^f[1-9][0-9]*$/.test(name)) yield name;
  }
}

function defaultAlias(node: Node): string | undefined {
  const [first] = (node['functions'] ?? []) as readonly { List?: { items?: readonly Node[] } }[];
  const call = first?.List?.items?.[0]?.['FuncCall'] as Node | undefined;
  return call === undefined ? undefined : [...texts(call['funcname'])].at(-1);
}

function* texts(list: unknown): Generator<string> {
  for (const { String: text } of (list ?? []) as readonly { String?: { sval?: string } }[]) {
    if (text?.sval !== undefined) yield text.sval;
  }
}
