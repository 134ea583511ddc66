import type { SqlDialect } from './query.ts';

/** How a dialect cuts text into words, names, strings and comments. */
export interface Lexis {
  /** Whether backslashes escape in '…' and "…", by default. */
  readonly reading: { readonly single: boolean; readonly double: boolean };
  /** What a setting of the server can change that to. */
  readonly otherReadings: readonly { readonly single: boolean; readonly double: boolean }[];
  readonly doubleQuotes: 'string' | 'name';
  readonly backticks: boolean;
  readonly backtickEscapes: boolean;
  readonly brackets: boolean;
  readonly tripleQuotes: boolean;
  /** A doubled quote stands for itself. */
  readonly doubledQuotes: boolean;
  readonly dollarQuotes: boolean;
  readonly dollarTags: boolean;
  readonly unicodePrefix: boolean;
  /** Words that are part of the string that follows at once, and whether backslashes escape there. */
  readonly stringPrefixes: Readonly<Record<string, 'backslash' | 'plain' | undefined>>;
  readonly lineComments: readonly string[];
  readonly dashNeedsSpace: boolean;
  /** Placeholders; sticky. */
  readonly parameters: RegExp;
  /** Operators and punctuation that the own grammar knows; sticky. */
  readonly marks: RegExp;
  /** Any punctuation goes: a real grammar comes after. */
  readonly looseMarks: boolean;
  /** `\N` is a way to write NULL. */
  readonly backslashN: boolean;
}

const none: Lexis = {
  reading: { single: false, double: false },
  otherReadings: [],
  doubleQuotes: 'name',
  backticks: false,
  backtickEscapes: false,
  brackets: false,
  tripleQuotes: false,
  doubledQuotes: true,
  dollarQuotes: false,
  dollarTags: false,
  unicodePrefix: false,
  stringPrefixes: { __proto__: null } as never,
  lineComments: ['--'],
  dashNeedsSpace: false,
  parameters: /\?/y,
  marks: /<=|>=|<>|!=|\|\||<<|>>|=>|[().,;+\-*/%=<>&|^~]/y,
  looseMarks: false,
  backslashN: false,
};

const mysql: Lexis = {
  ...none,
  reading: { single: true, double: true },
  // NO_BACKSLASH_ESCAPES, and ANSI_QUOTES, which makes a name of "…".
  otherReadings: [
    { single: false, double: false },
    { single: true, double: false },
  ],
  doubleQuotes: 'string',
  backticks: true,
  stringPrefixes: {
    __proto__: null,
    N: 'backslash',
    X: 'plain',
    B: 'plain',
    _UTF8: 'backslash',
    _UTF8MB3: 'backslash',
    _UTF8MB4: 'backslash',
    _LATIN1: 'backslash',
    _BINARY: 'backslash',
    _ASCII: 'backslash',
  } as never,
  lineComments: ['--', '#'],
  dashNeedsSpace: true,
  parameters: /\?|:[A-Za-z_][A-Za-z0-9_]*/y,
  marks: /->>|->|<=>|<=|>=|<>|!=|\|\||&&|<<|>>|[().,;+\-*/%=<>&|^~!]/y,
  backslashN: true,
};

const lexes: Readonly<Record<SqlDialect, Lexis>> = {
  postgresql: {
    ...none,
    // standard_conforming_strings = off
    otherReadings: [{ single: true, double: false }],
    dollarQuotes: true,
    dollarTags: true,
    unicodePrefix: true,
    stringPrefixes: { __proto__: null, E: 'backslash', B: 'plain', X: 'plain', N: 'plain' } as never,
    parameters: /\$[0-9]+/y,
    looseMarks: true,
  },
  sqlite: {
    ...none,
    backticks: true,
    brackets: true,
    stringPrefixes: { __proto__: null, X: 'plain' } as never,
    // The Tcl forms $a::b and $a(…) may hold quotes; no other tool writes them.
    parameters: /\?[0-9]*|[:@$][A-Za-z_][A-Za-z0-9_]*(?!::|[($])/y,
    looseMarks: true,
  },
  mysql,
  mariadb: mysql,
  transactsql: {
    ...none,
    brackets: true,
    stringPrefixes: { __proto__: null, N: 'plain' } as never,
    parameters: /\?|@[A-Za-z_][A-Za-z0-9_]*/y,
    marks: /<=|>=|<>|!=|!<|!>|\|\||[().,;+\-*/%=<>&|^~]/y,
  },
  bigquery: {
    ...none,
    reading: { single: true, double: true },
    doubleQuotes: 'string',
    backticks: true,
    backtickEscapes: true,
    tripleQuotes: true,
    doubledQuotes: false,
    // In r'…' a backslash still keeps the quote behind it from ending the string.
    stringPrefixes: {
      __proto__: null,
      R: 'backslash',
      B: 'backslash',
      BR: 'backslash',
      RB: 'backslash',
    } as never,
    lineComments: ['--', '#'],
    parameters: /\?|@[A-Za-z_][A-Za-z0-9_]*/y,
    marks: /<=|>=|<>|!=|\|\||<<|>>|=>|[().,;+\-*/%=<>&|^~[\]:]/y,
  },
  snowflake: {
    ...none,
    reading: { single: true, double: false },
    dollarQuotes: true,
    stringPrefixes: { __proto__: null, X: 'plain' } as never,
    lineComments: ['--', '//'],
    parameters: /\?/y,
    marks: /::|<=|>=|<>|!=|\|\||=>|[().,;+\-*/%=<>&|^~[\]{}:]/y,
  },
};

export function lexisOf(dialect: SqlDialect): Lexis {
  return lexes[dialect];
}
