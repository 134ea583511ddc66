/** Dialects whose queries are understood. */
export const sqlDialects = [
  'postgresql',
  'sqlite',
  'mysql',
  'mariadb',
  'transactsql',
  'bigquery',
  'snowflake',
] as const;
export type SqlDialect = (typeof sqlDialects)[number];

export const statementKinds = ['select', 'insert', 'update', 'delete'] as const;
export type StatementKind = (typeof statementKinds)[number];

/** What one statement does, as far as a policy can speak about it. */
export interface SqlFacts {
  /** Every kind of statement in it, the outermost and those in the bodies of CTEs. */
  readonly kinds: ReadonlySet<StatementKind>;
  /** Every table it names, read or written, in parts from the outermost qualifier inwards, folded as the dialect folds. */
  readonly tables: readonly TableName[];
  /** Every function it calls, dotted where qualified, in lower case where the dialect does not tell cases apart. */
  readonly functions: ReadonlySet<string>;
  /** The most rows that the outermost query can return, where it says so with a plain number. */
  readonly rowLimit: number | undefined;
  readonly parameters: boolean;
  /** Only its plan is asked for; some forms run it nevertheless. All else here is about the statement itself. */
  readonly explained: boolean;
  readonly comments: boolean;
}

export type TableName = readonly string[];

/**
 * Why a text was not understood.
 *
 * - `unparsable`: not a sentence of the dialect as the grammar knows it
 * - `ambiguous`: settings of a server decide where a string or a comment ends
 * - `comment`: a comment that a server may execute, or that servers end in different places
 * - `too-deep`: nested deeper, or of more tokens, than any honest query
 * - `statement-count`: none, or more than one
 * - `statement`: a kind of statement that can never be allowed
 * - `construct`: a part of a statement that can never be allowed
 */
export type Misunderstanding =
  | 'unparsable'
  | 'ambiguous'
  | 'comment'
  | 'too-deep'
  | 'statement-count'
  | 'statement'
  | 'construct';

export type Understanding =
  | { readonly ok: true; readonly facts: SqlFacts }
  | { readonly ok: false; readonly fault: Misunderstanding };

/** Ends a reading. Caught where the room is entered: nothing outside ever sees it. */
export class Unclear extends Error {
  readonly fault: Misunderstanding;

  constructor(fault: Misunderstanding) {
    super(fault);
    this.fault = fault;
  }
}

/** Collects facts while a statement is walked. */
export class FactCollector {
  readonly kinds = new Set<StatementKind>();
  readonly tables: TableName[] = [];
  readonly functions = new Set<string>();
  rowLimit: number | undefined = undefined;
  parameters = false;
  explained = false;

  table(name: TableName): void {
    this.tables.push(name);
  }

  facts(comments: boolean): SqlFacts {
    const { kinds, tables, functions, rowLimit, parameters, explained } = this;
    return { kinds, tables, functions, rowLimit, parameters, explained, comments };
  }
}

/**
 * Deepest nesting that is read, in brackets and in levels of a syntax tree of brackets, CASE and subqueries. Honest
 * queries stay below 30; every reader here recurses, and 100 levels are far from the end of any stack.
 */
export const maxNesting = 100;

/**
 * Most tokens. A grammar takes up to ten microseconds for each, and ten thousand characters can be as many tokens;
 * honest queries of that length have a quarter of this.
 */
export const maxTokens = 5000;

/** ASCII only: `ſ` and `ı` have upper-case forms in ASCII, and are no letters of a keyword to any database. */
export function upperAscii(text: string): string {
  return /[^\0-\x7f]/.test(text)
    ? text.replace(/[a-z]/g, (letter) => letter.toUpperCase())
    : text.toUpperCase();
}

export function lowerAscii(text: string): string {
  return /[^\0-\x7f]/.test(text)
    ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    : text.toLowerCase();
}

/** The value of a row count that is written as a plain number, or undefined. `1e9`, `0x10` and `1_000` are not. */
export function plainCount(text: string): number | undefined {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}
