import { loadModule, parseSync } from 'libpg-query';
import { ColumnNotation, fieldsOf } from './postgresql-columns.ts';
import { explainedStatement } from './postgresql-explain.ts';
import { type Field, postgresNodes } from './postgresql-nodes.ts';
import { FactCollector, plainCount, type StatementKind, Unclear } from './query.ts';

// PostgreSQL's own grammar, compiled to WebAssembly. Loading is asynchronous, parsing is not.
await loadModule();

type Node = Readonly<Record<string, unknown>>;

/** Names of CTEs that hide tables, from where a reference stands. */
type Scope = ReadonlySet<string>;

const statementTypes: ReadonlyMap<string, StatementKind> = new Map([
  ['SelectStmt', 'select'],
  ['InsertStmt', 'insert'],
  ['UpdateStmt', 'update'],
  ['DeleteStmt', 'delete'],
]);

/**
 * Deepest tree that is walked. A chain of a thousand `||` is as deep as it is long, and honest queries have such chains
 * of dozens.
 */
const maxTreeDepth = 600;

/**
 * Reads one statement of PostgreSQL with its own grammar.
 *
 * @throws Unclear, and whatever the parser throws for what is no SQL
 */
export function readPostgres(sql: string): FactCollector {
  const { stmts } = parseSync(sql);
  if (stmts?.length !== 1) throw new Unclear('statement-count');
  const sent = stmts[0]!.stmt as Node | undefined;
  const explained = explainedStatement(sent);
  const wrapped = explained ?? sent;
  const [type, ...others] = Object.keys(wrapped ?? {});
  if (type === undefined || others.length > 0 || !statementTypes.has(type)) throw new Unclear('statement');
  const statement = wrapped![type] as Node;
  const facts = new FactCollector();
  facts.explained = explained !== undefined;
  const walk = new Walk(facts);
  walk.node(type, statement, new Set(), 0);
  for (const name of walk.columns.calls()) facts.functions.add(name);
  if (type === 'SelectStmt') facts.rowLimit = rowLimitOf(statement);
  return facts;
}

function rowLimitOf(select: Node): number | undefined {
  // WITH TIES returns more rows than it says.
  if (select['limitOption'] !== 'LIMIT_OPTION_COUNT') return undefined;
  const constant = (select['limitCount'] as { A_Const?: { ival?: { ival?: number } } } | undefined)?.A_Const;
  // A zero is left out of the tree.
  return constant?.ival === undefined ? undefined : plainCount(String(constant.ival.ival ?? 0));
}

class Walk {
  readonly columns = new ColumnNotation();
  readonly #facts: FactCollector;

  constructor(facts: FactCollector) {
    this.#facts = facts;
  }

  node(type: string, node: Node, scope: Scope, depth: number): void {
    const fields = postgresNodes.get(type);
    if (fields === undefined) throw new Unclear(statementLike(type) ? 'statement' : 'construct');
    if (depth > maxTreeDepth) throw new Unclear('too-deep');
    const kind = statementTypes.get(type);
    if (kind !== undefined) this.#facts.kinds.add(kind);
    this.#note(type, node, scope);
    const inner =
      kind === undefined ? scope : this.#withScope(node['withClause'] as Node | undefined, scope, depth);
    for (const [name, value] of Object.entries(node)) {
      const field = fields.get(name);
      if (field === undefined) throw new Unclear('construct');
      if (name === 'withClause') continue;
      // What is written to is a table, even where a CTE has its name.
      const target = name === 'relation';
      this.#field(field, value, target ? new Set() : inner, depth + 1);
    }
  }

  #field(field: Field, value: unknown, scope: Scope, depth: number): void {
    if (field === 'value') {
      if (typeof value === 'object') throw new Unclear('construct');
    } else if (field !== 'nodes') {
      this.node(field.type, value as Node, scope, depth);
    } else {
      for (const wrapped of Array.isArray(value) ? value : [value])
        this.#wrapped(wrapped as Node, scope, depth);
    }
  }

  #wrapped(wrapped: Node, scope: Scope, depth: number): void {
    // An empty one stands for nothing: plain DISTINCT, an open end of a slice.
    for (const [type, node] of Object.entries(wrapped)) this.node(type, node as Node, scope, depth);
  }

  /** Reads the CTEs, each in the scope of those before it. @returns the scope of the statement */
  #withScope(clause: Node | undefined, scope: Scope, depth: number): Scope {
    if (clause === undefined) return scope;
    const fields = postgresNodes.get('WithClause')!;
    if (Object.keys(clause).some((name) => !fields.has(name))) throw new Unclear('construct');
    const names = new Set(scope);
    for (const wrapped of clause['ctes'] as readonly Node[]) {
      const cte = wrapped['CommonTableExpr'] as Node | undefined;
      if (cte === undefined) throw new Unclear('construct');
      const name = cte['ctename'] as string;
      // Without RECURSIVE, a CTE that names itself means the table.
      this.node(
        'CommonTableExpr',
        cte,
        clause['recursive'] === true ? new Set(names).add(name) : new Set(names),
        depth + 1,
      );
      names.add(name);
    }
    return names;
  }

  #note(type: string, node: Node, scope: Scope): void {
    if (type === 'RangeVar') this.#table(node, scope);
    else if (type === 'FuncCall') this.#function(node);
    else if (type === 'ColumnRef') this.columns.reference(node);
    else if (type === 'RangeFunction') this.columns.rangeFunction(node);
    else if (type === 'A_Indirection') for (const name of fieldsOf(node)) this.#facts.functions.add(name);
    else if (type === 'ParamRef') this.#facts.parameters = true;
    else if (type === 'TypeName') checkType(names(node['names']));
    else if (type === 'A_Expr' || type === 'SubLink') checkOperator(names(node['name'] ?? node['operName']));
    else if (type === 'SQLValueFunction') {
      this.#facts.functions.add(
        String(node['op'])
          .replace(/^SVFOP_|_N$/g, '')
          .toLowerCase(),
      );
    }
  }

  #table(node: Node, scope: Scope): void {
    const { catalogname, schemaname, relname } = node as Readonly<Record<string, string | undefined>>;
    if (relname === undefined) throw new Unclear('construct');
    if (schemaname === undefined && scope.has(relname)) return;
    this.#facts.table([catalogname, schemaname, relname].filter((part) => part !== undefined));
  }

  #function(node: Node): void {
    const parts = names(node['funcname']);
    this.#facts.functions.add((parts[0] === 'pg_catalog' ? parts.slice(1) : parts).join('.'));
  }
}

function statementLike(type: string): boolean {
  return type.endsWith('Stmt');
}

function names(list: unknown): readonly string[] {
  return ((list ?? []) as readonly { String?: { sval?: string } }[]).map(({ String: name }) => {
    if (name?.sval === undefined) throw new Unclear('construct');
    return name.sval;
  });
}

/** `reg…` types look up names in the catalogue; types of other schemas may have input functions of anybody. */
function checkType(parts: readonly string[]): void {
  const name = parts.at(-1) ?? '';
  if (name.startsWith('reg') || parts.length > 2 || (parts.length === 2 && parts[0] !== 'pg_catalog')) {
    throw new Unclear('construct');
  }
}

/** `OPERATOR(schema.@)` runs the function behind it. */
function checkOperator(parts: readonly string[]): void {
  if (parts.length > 1 && parts[0] !== 'pg_catalog') throw new Unclear('construct');
}
