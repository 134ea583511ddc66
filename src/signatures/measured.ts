/** How often a signature noticed honest calls. */
export interface Measured {
  readonly hits: number;
  readonly calls: number;
}

/**
 * By name, on the honest corpus and on the held-out one. Written by `node bench/signatures.ts --write`; a test measures
 * again and compares.
 */
export const measured: ReadonlyMap<string, readonly [honest: Measured, heldOut: Measured]> = new Map([
  [
    'traversal-encoded',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'traversal-disguised',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'traversal-deep',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'traversal-plain',
    [
      { hits: 151, calls: 2500 },
      { hits: 141, calls: 3000 },
    ],
  ],
  [
    'traversal-to-secret',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'sql-tautology',
    [
      { hits: 0, calls: 2500 },
      { hits: 71, calls: 3000 },
    ],
  ],
  [
    'sql-always-true',
    [
      { hits: 0, calls: 2500 },
      { hits: 71, calls: 3000 },
    ],
  ],
  [
    'sql-union-probe',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'sql-stacked',
    [
      { hits: 0, calls: 2500 },
      { hits: 20, calls: 3000 },
    ],
  ],
  [
    'sql-delay',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'sql-extract',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'sql-comment-after-quote',
    [
      { hits: 43, calls: 2500 },
      { hits: 3, calls: 3000 },
    ],
  ],
  [
    'shell-reverse',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'shell-ifs',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'shell-encoded',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'shell-download-and-run',
    [
      { hits: 39, calls: 2500 },
      { hits: 47, calls: 3000 },
    ],
  ],
  [
    'shell-chained-probe',
    [
      { hits: 4, calls: 2500 },
      { hits: 17, calls: 3000 },
    ],
  ],
  [
    'shell-substitution',
    [
      { hits: 63, calls: 2500 },
      { hits: 26, calls: 3000 },
    ],
  ],
  [
    'shell-chaining',
    [
      { hits: 616, calls: 2500 },
      { hits: 522, calls: 3000 },
    ],
  ],
  [
    'ssrf-metadata',
    [
      { hits: 0, calls: 2500 },
      { hits: 56, calls: 3000 },
    ],
  ],
  [
    'ssrf-odd-address',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'ssrf-odd-scheme',
    [
      { hits: 0, calls: 2500 },
      { hits: 45, calls: 3000 },
    ],
  ],
  [
    'ssrf-disguised-name',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'ssrf-private-address',
    [
      { hits: 64, calls: 2500 },
      { hits: 86, calls: 3000 },
    ],
  ],
  [
    'template-arithmetic',
    [
      { hits: 0, calls: 2500 },
      { hits: 46, calls: 3000 },
    ],
  ],
  [
    'template-internals',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'template-runtime',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'template-lookup',
    [
      { hits: 0, calls: 2500 },
      { hits: 45, calls: 3000 },
    ],
  ],
  [
    'template-any',
    [
      { hits: 188, calls: 2500 },
      { hits: 127, calls: 3000 },
    ],
  ],
  [
    'pollution-path',
    [
      { hits: 0, calls: 2500 },
      { hits: 11, calls: 3000 },
    ],
  ],
  [
    'pollution-json',
    [
      { hits: 0, calls: 2500 },
      { hits: 0, calls: 3000 },
    ],
  ],
  [
    'pollution-assignment',
    [
      { hits: 0, calls: 2500 },
      { hits: 56, calls: 3000 },
    ],
  ],
]);
