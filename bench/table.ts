/** What one target did with one case in one round. */
export interface Sample {
  /** CPU microseconds of the proxy process for each request; undefined where there is no proxy. */
  readonly cpu: number | undefined;
  readonly requestsPerSecond: number;
}

export interface Row {
  readonly target: string;
  readonly samples: readonly Sample[];
  /** What the CPU is compared with: the bare pass-through over the same transport. */
  readonly yardstick: readonly Sample[] | undefined;
}

/** The table of one case, as Markdown that also reads well in a terminal. */
export function formatTable(rows: readonly Row[]): string {
  const heads = ['target', 'CPU µs/request', 'spread', 'ratio', 'requests/s', 'spread'];
  const lines = rows.map(({ target, samples, yardstick }) => {
    const cpu = samples.flatMap((sample) => sample.cpu ?? []);
    const speed = samples.map(({ requestsPerSecond }) => requestsPerSecond);
    const against = (yardstick ?? []).flatMap((sample) => sample.cpu ?? []);
    return [
      target,
      cpu.length === 0 ? '–' : median(cpu).toFixed(1),
      cpu.length === 0 ? '–' : spread(cpu, 1),
      cpu.length === 0 || against.length === 0 ? '–' : `${(median(cpu) / median(against)).toFixed(2)} ×`,
      median(speed).toFixed(0),
      spread(speed, 0),
    ];
  });
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [format(heads), rule, ...lines.map(format)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

function spread(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
}
