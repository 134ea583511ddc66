/**
 * Prints the table of faults of the last run. `--write` puts it into the suite's README.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultRow } from '../test/faults/table.ts';

const results = fileURLToPath(new URL('../test-results/faults', import.meta.url));
const readme = fileURLToPath(new URL('../test/faults/README.md', import.meta.url));
const [begin, end] = ['<!-- table: begin -->', '<!-- table: end -->'];

/** Forgets the rows of earlier runs. */
export function forgetFaultRows(): void {
  rmSync(results, { recursive: true, force: true });
}

/** Markdown; one heading for each test file, its rows in the order of their names. Empty where nothing was run. */
export function faultTable(): string {
  if (!existsSync(results)) return '';
  return readdirSync(results)
    .sort()
    .map((file) => {
      const rows = readFileSync(join(results, file), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as FaultRow)
        .sort((a, b) => a.fault.localeCompare(b.fault));
      return [
        `### ${file.replace('.jsonl', '').replaceAll('-', ' ')}`,
        '',
        '| fault | what must happen | | measured |',
        '|---|---|---|---|',
        ...rows.map(
          ({ fault, must, outcome, measured }) =>
            `| ${[fault, must, outcome, measured.join('; ')].map(cell).join(' | ')} |`,
        ),
        '',
      ].join('\n');
    })
    .join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (import.meta.main) {
  const table = faultTable();
  console.log(table === '' ? 'no rows: run the tests first' : table);
  if (process.argv.includes('--write') && table !== '') {
    const text = readFileSync(readme, 'utf8');
    const [head, rest] = text.split(begin);
    const tail = rest?.split(end)[1] ?? '';
    writeFileSync(readme, `${head}${begin}\n\n${table}\n${end}${tail}`);
  }
}
