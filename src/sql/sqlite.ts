import { parse } from 'sqlite3-parser/sqlite-3.53.0';
import { FactCollector, lowerAscii, plainCount, type StatementKind, Unclear } from './query.ts';
import { sqliteNodes } from './sqlite-nodes.ts';

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

/** Names of CTEs that hide tables, in lower case. */
type Scope = ReadonlySet<string>;

const statementTypes: ReadonlyMap<string, StatementKind> = new Map([
  ['SelectStmt', 'select'],
  ['InsertStmt', 'insert'],
  ['UpdateStmt', 'update'],
  ['DeleteStmt', 'delete'],
]);

/** As for PostgreSQL: chains of operators are as deep as they are long. */
const maxTreeDepth = 600;

/**
 * Reads one statement of SQLite with SQLite's own grammar.
 *
 * @throws Unclear
 */
export function readSqlite(sql: string): FactCollector {
  const parsed = parse(sql);
  if (parsed.status !== 'ok') throw new Unclear('unparsable');
  const [sent, ...others] = parsed.root.cmds;
  if (sent === undefined || others.length > 0) throw new Unclear('statement-count');
  const explained = sent.type === 'ExplainStmt';
  const statement = explained ? sent.stmt : sent;
  if (!statementTypes.has(statement.type)) throw new Unclear('statement');
  const facts = new FactCollector();
  facts.explained = explained;
  new Walk(facts).node(statement as unknown as Node, new Set(), 0);
  if (statement.type === 'SelectStmt') {
    const count = statement.body.limit?.expr;
    if (count?.type === 'NumericLiteral') facts.rowLimit = plainCount(count.value);
  }
  return facts;
}

class Walk {
  readonly #facts: FactCollector;

  constructor(facts: FactCollector) {
    this.#facts = facts;
  }

  node(node: Node, scope: Scope, depth: number): void {
    const fields = sqliteNodes.get(node.type);
    if (fields === undefined) throw new Unclear(node.type.endsWith('Stmt') ? 'statement' : 'construct');
    if (depth > maxTreeDepth) throw new Unclear('too-deep');
    const kind = statementTypes.get(node.type);
    if (kind !== undefined) this.#facts.kinds.add(kind);
    const inner = this.#withScope(node['with'] as Node | undefined, scope, depth);
    this.#note(node, inner);
    for (const [name, value] of Object.entries(node)) {
      if (name === 'type' || name === 'span' || name === 'with' || value === undefined) continue;
      if (!fields.has(name)) throw new Unclear('construct');
      this.#value(value, inner, depth + 1);
    }
  }

  #value(value: unknown, scope: Scope, depth: number): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#value(item, scope, depth);
    } else if (value instanceof Uint8Array) {
      // The bytes of a blob.
    } else if (typeof value === 'object' && value !== null) {
      this.node(value as Node, scope, depth);
    }
  }

  /** Reads the CTEs, each in the scope of those before it and of itself. @returns the scope of the statement */
  #withScope(clause: Node | undefined, scope: Scope, depth: number): Scope {
    if (clause === undefined) return scope;
    if (clause.type !== 'With') throw new Unclear('construct');
    const names = new Set(scope);
    for (const cte of clause['ctes'] as readonly Node[]) {
      // SQLite lets every CTE be recursive, whether it says so or not.
      names.add(nameOf(cte['tblName'] as Node));
      this.node(cte, new Set(names), depth + 1);
    }
    return names;
  }

  #note(node: Node, scope: Scope): void {
    switch (node.type) {
      case 'TableSelectTable':
        this.#table(node['tblName'] as Node, scope);
        break;
      case 'InTableExpr':
        if (node['args'] === undefined) this.#table(node['rhs'] as Node, scope);
        else this.#tableFunction(node['rhs'] as Node);
        break;
      case 'TableCallSelectTable':
        this.#tableFunction(node['tblName'] as Node);
        break;
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
        // What is written to is a table, even where a CTE has its name.
        this.#table(node['tblName'] as Node, new Set());
        break;
      case 'FunctionCallExpr':
      case 'FunctionCallStarExpr':
        this.#facts.functions.add(lowerAscii((node['name'] as { name: string } & Node).name));
        break;
      case 'LikeExpr':
        // MATCH and REGEXP call functions of these names, GLOB and LIKE built-in ones.
        if (node['op'] === 'Match' || node['op'] === 'Regexp') {
          this.#facts.functions.add(lowerAscii(String(node['op'])));
        }
        break;
      case 'VariableExpr':
        this.#facts.parameters = true;
        break;
    }
  }

  #table(name: Node, scope: Scope): void {
    const schema = name['dbName'] as Node | undefined;
    const table = nameOf(name['objName'] as Node);
    if (schema === undefined && scope.has(table)) return;
    this.#facts.table(schema === undefined ? [table] : [nameOf(schema), table]);
  }

  #tableFunction(name: Node): void {
    const schema = name['dbName'] as Node | undefined;
    const called = nameOf(name['objName'] as Node);
    this.#facts.functions.add(schema === undefined ? called : `${nameOf(schema)}.${called}`);
  }
}

/** SQLite tells cases of names apart in no form of quoting. */
function nameOf(node: Node): string {
  if (node.type !== 'Name' || typeof node['text'] !== 'string') throw new Unclear('construct');
  return lowerAscii(node['text']);
}
