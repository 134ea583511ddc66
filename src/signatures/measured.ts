/** How often a signature noticed honest calls. */
export interface Measured {
  readonly hits: number;
  readonly calls: number;
}

/** Measured by `node bench/signatures.ts` on the honest corpus; a test measures again and compares. */
export const measured: ReadonlyMap<string, Measured> = new Map([
  ['traversal-encoded', { hits: 0, calls: 2500 }],
  ['traversal-disguised', { hits: 0, calls: 2500 }],
  ['traversal-deep', { hits: 0, calls: 2500 }],
  ['traversal-plain', { hits: 151, calls: 2500 }],
  ['traversal-to-secret', { hits: 0, calls: 2500 }],
  ['sql-tautology', { hits: 0, calls: 2500 }],
  ['sql-always-true', { hits: 0, calls: 2500 }],
  ['sql-union-probe', { hits: 0, calls: 2500 }],
  ['sql-stacked', { hits: 0, calls: 2500 }],
  ['sql-delay', { hits: 0, calls: 2500 }],
  ['sql-extract', { hits: 0, calls: 2500 }],
  ['sql-comment-after-quote', { hits: 43, calls: 2500 }],
  ['shell-reverse', { hits: 0, calls: 2500 }],
  ['shell-ifs', { hits: 0, calls: 2500 }],
  ['shell-encoded', { hits: 0, calls: 2500 }],
  ['shell-download-and-run', { hits: 39, calls: 2500 }],
  ['shell-chained-probe', { hits: 4, calls: 2500 }],
  ['shell-substitution', { hits: 63, calls: 2500 }],
  ['shell-chaining', { hits: 616, calls: 2500 }],
  ['ssrf-metadata', { hits: 0, calls: 2500 }],
  ['ssrf-odd-address', { hits: 0, calls: 2500 }],
  ['ssrf-odd-scheme', { hits: 0, calls: 2500 }],
  ['ssrf-disguised-name', { hits: 0, calls: 2500 }],
  ['ssrf-private-address', { hits: 64, calls: 2500 }],
  ['template-arithmetic', { hits: 0, calls: 2500 }],
  ['template-internals', { hits: 0, calls: 2500 }],
  ['template-runtime', { hits: 0, calls: 2500 }],
  ['template-lookup', { hits: 0, calls: 2500 }],
  ['template-any', { hits: 188, calls: 2500 }],
  ['pollution-path', { hits: 0, calls: 2500 }],
  ['pollution-json', { hits: 0, calls: 2500 }],
  ['pollution-assignment', { hits: 0, calls: 2500 }],
]);
