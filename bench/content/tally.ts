import { formatRate } from './interval.ts';

/** Counts by source and class, and what the first few hits were. */
export class Tally {
  readonly #rows = new Map<string, { source: string; class: string; hits: number; trials: number }>();
  readonly #reasons = new Map<string, number>();
  readonly #examples: string[] = [];
  hits = 0;
  trials = 0;

  count(
    about: { readonly source: string; readonly class: string },
    hit: boolean,
    reason?: string,
    where?: string,
  ): void {
    const key = JSON.stringify([about.source, about.class]);
    const row = this.#rows.get(key) ?? { source: about.source, class: about.class, hits: 0, trials: 0 };
    this.#rows.set(key, row);
    row.trials += 1;
    this.trials += 1;
    if (!hit) return;
    row.hits += 1;
    this.hits += 1;
    if (reason !== undefined) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    if (where !== undefined && this.#examples.length < 20) this.#examples.push(`${where}: ${reason ?? ''}`);
  }

  /** @param verb what a hit is, for the heading: `refused`, `missed` */
  print(title: string, verb: string): void {
    console.log(`\n${title}\n`);
    const rows = [...this.#rows.values()].sort((a, b) => (a.source + a.class < b.source + b.class ? -1 : 1));
    const table = [
      ['source', 'class', 'lines', verb, '95 % interval'],
      ...rows.map((row) => [
        row.source,
        row.class,
        String(row.trials),
        String(row.hits),
        formatRate(row.hits, row.trials),
      ]),
      ['all', '', String(this.trials), String(this.hits), formatRate(this.hits, this.trials)],
    ];
    const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
    for (const row of table) {
      console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd());
    }
    const reasons = [...this.#reasons].sort((a, b) => b[1] - a[1]).slice(0, 20);
    for (const [reason, times] of reasons) console.log(`    ${String(times).padStart(6)} × ${reason}`);
    for (const example of this.#examples) console.log(`    at ${example}`);
  }
}
