/**
 * The table of faults: each row says what goes wrong and what must happen then, and is a test that makes it go wrong. What
 * was measured stands beside it. `scripts/fault-table.ts` prints the rows of the last run.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';

/** One row, as it stands in a file of results: one JSON object a line. */
export interface FaultRow {
  /** Chapter of the table: the name of the test file. */
  readonly chapter: string;
  readonly fault: string;
  readonly must: string;
  readonly outcome: 'held' | 'FAILED';
  readonly measured: readonly string[];
}

/** Where rows are kept: one file for each test file. */
export const faultResults = fileURLToPath(new URL('../../test-results/faults/', import.meta.url));

/** Hands in something that was measured, in words and numbers: `99.97 % of 4012 calls right`. */
export type Measured = (what: string) => void;

/** The rows of this file so far: each test file runs in a process of its own. */
const rows: FaultRow[] = [];

/** 30 s: a bound on a fault that hangs, not a claim about speed. */
const longestMs = 30_000;

/**
 * One fault, as a test.
 *
 * @param name what goes wrong
 * @param must what must happen then, as a whole sentence: the test proves it
 */
export function fault(
  name: string,
  must: string,
  run: (measured: Measured) => Promise<void> | void,
  patience: number = longestMs,
): void {
  it(`${name}: ${must}`, { timeout: patience }, async ({ task }) => {
    const measured: string[] = [];
    let outcome: FaultRow['outcome'] = 'FAILED';
    try {
      await run((what) => measured.push(what));
      outcome = 'held';
    } finally {
      const chapter = task.file.name.replace(/^.*\//, '').replace('.test.ts', '');
      const row: FaultRow = { chapter, fault: name, must, outcome, measured };
      rows.push(row);
      mkdirSync(faultResults, { recursive: true });
      // Whole each time: what an earlier run of this file left is gone with its first row.
      writeFileSync(
        join(faultResults, `${chapter}.jsonl`),
        rows.map((one) => `${JSON.stringify(one)}\n`).join(''),
      );
    }
  });
}

/**
 * Whether the whole sizes are asked for, as `npm run soak` does. Not a name with SALLYPORT_: a gateway process would take it
 * for a key of its configuration.
 */
export const fullScale: boolean = process.env['FAULTS'] === 'full';

/** How much of a fault: `quick` in `npm test`, `full` in `npm run soak`. */
export function scale<T>(quick: T, full: T): T {
  return fullScale ? full : quick;
}

/** `0.9995` as `99.95 %`. Rounded down: what is not all is never told as all. */
export function percent(share: number): string {
  return `${Math.floor(share * 10_000) / 100} %`;
}
