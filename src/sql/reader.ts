import { FactCollector, maxNesting, type SqlDialect, Unclear } from './query.ts';
import type { Token } from './scan.ts';
import { mayBeBareAlias, mayBeName } from './words.ts';

const end: Token = { kind: 'end', text: '', key: '', start: 0, end: 0 };

/**
 * A place in a list of tokens, for the grammar of the dialects that publish none. The grammar takes every token in
 * turn or gives up: nothing is skipped, so nothing that the database would act on goes unseen.
 */
export class Reader {
  readonly dialect: SqlDialect;
  readonly facts = new FactCollector();
  /** Names of CTEs that hide tables here. */
  scope: ReadonlySet<string> = new Set();
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], dialect: SqlDialect) {
    this.#tokens = tokens;
    this.dialect = dialect;
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? end;
  }

  next(): Token {
    return this.#tokens[this.#at++] ?? end;
  }

  is(key: string, ahead = 0): boolean {
    return this.peek(ahead).key === key;
  }

  isOneOf(keys: ReadonlySet<string> | readonly string[], ahead = 0): boolean {
    const { key } = this.peek(ahead);
    return key !== '' && (Array.isArray(keys) ? keys.includes(key) : (keys as ReadonlySet<string>).has(key));
  }

  /** Where the last token that was taken ends. */
  get lastEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  take(...keys: readonly string[]): boolean {
    if (!keys.every((key, index) => this.is(key, index))) return false;
    this.#at += keys.length;
    return true;
  }

  takeOneOf(keys: ReadonlySet<string> | readonly string[]): boolean {
    if (!this.isOneOf(keys)) return false;
    this.#at++;
    return true;
  }

  expect(...keys: readonly string[]): void {
    if (!this.take(...keys)) throw new Unclear('unparsable');
  }

  takeKind(kind: Token['kind']): Token | undefined {
    return this.peek().kind === kind ? this.next() : undefined;
  }

  expectKind(kind: Token['kind']): Token {
    return this.takeKind(kind) ?? this.fail();
  }

  fail(): never {
    throw new Unclear('unparsable');
  }

  /** Whether a name stands here, quoted or not. */
  isName(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'quoted' || (token.kind === 'word' && mayBeName(token.key));
  }

  name(): Token {
    return this.isName() ? this.next() : this.fail();
  }

  /** An alias that may be there, with or without AS. */
  alias(): void {
    if (this.take('AS')) {
      if (this.takeKind('string') === undefined) this.name();
      return;
    }
    const token = this.peek();
    const bare =
      token.kind === 'quoted' ||
      (token.kind === 'word' && mayBeBareAlias(token.key)) ||
      (token.kind === 'string' && this.dialect !== 'bigquery' && this.dialect !== 'snowflake');
    if (bare) this.next();
  }

  /** `read`, and again after every comma. */
  list(read: () => void): void {
    do read();
    while (this.take(','));
  }

  inBrackets(read: () => void): void {
    this.expect('(');
    read();
    this.expect(')');
  }

  /** Bounds recursion, which brackets alone do not: CASE nests without them. */
  nested(read: () => void): void {
    if (++this.#depth > maxNesting * 3) throw new Unclear('too-deep');
    read();
    this.#depth--;
  }
}
