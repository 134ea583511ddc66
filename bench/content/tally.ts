import { formatRate, wilson } from './interval.ts';

interface Counted {
  readonly source: string;
  readonly class: string;
  hits: number;
  trials: number;
}

/** Counts by source and class, and what the first few hits were. */
export class Tally {
  readonly #rows = new Map<string, Counted>();
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

  /** @param verb what a hit is, for the heading: `refused`, `passed` */
  print(title: string, verb: string): void {
    if (this.trials === 0) return;
    console.log(`\n${title}\n`);
    const table = [
      ['source', 'class', 'judged', verb, '95 % interval'],
      ...this.#sorted().map((row) => [
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
    for (const [reason, times] of this.#commonest())
      console.log(`    ${String(times).padStart(6)} × ${reason}`);
    for (const example of this.#examples) console.log(`    at ${example}`);
  }

  toJSON(): object {
    return {
      ...rated(this),
      rows: this.#sorted().map((row) => ({ source: row.source, class: row.class, ...rated(row) })),
      reasons: Object.fromEntries(this.#commonest()),
      examples: this.#examples,
    };
  }

  #sorted(): readonly Counted[] {
    return [...this.#rows.values()].sort((a, b) => (a.source + a.class < b.source + b.class ? -1 : 1));
  }

  #commonest(): readonly [string, number][] {
    return [...this.#reasons].sort((a, b) => b[1] - a[1]).slice(0, 20);
  }
}

function rated({ hits, trials }: { readonly hits: number; readonly trials: number }): object {
  const [low, high] = wilson(hits, trials);
  return { trials, hits, rate: trials === 0 ? null : hits / trials, low, high };
}

/** Lines that were not scored, by why, and the first few of them. */
export class LeftOut {
  readonly #reasons = new Map<string, number>();
  readonly #examples: string[] = [];
  count = 0;

  add(where: { readonly file: string; readonly line: number }, reason: string): void {
    this.count += 1;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    if (this.#examples.length < 5) this.#examples.push(`${where.file}:${where.line}: ${reason}`);
  }

  print(title: string): void {
    if (this.count === 0) return;
    console.log(`\n${title}: ${this.count}`);
    const reasons = [...this.#reasons].sort((a, b) => b[1] - a[1]).slice(0, 10);
    for (const [reason, times] of reasons) console.log(`    ${String(times).padStart(6)} × ${reason}`);
    for (const example of this.#examples) console.log(`    at ${example}`);
  }

  toJSON(): object {
    return { count: this.count, reasons: Object.fromEntries(this.#reasons), examples: this.#examples };
  }
}
