import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import { expect, test } from 'vitest';
import { createMergedMetrics, type MetricsSnapshot } from '../../src/observe/merge-metrics.ts';

/** Numbers of one process. */
async function snapshotOf(numbers: {
  readonly calls?: Readonly<Record<string, number>>;
  readonly active?: number;
  readonly least?: number;
  readonly greatest?: number;
  readonly times?: readonly number[];
  readonly began?: number;
}): Promise<MetricsSnapshot> {
  const registers = [new Registry()];
  const common = { help: 'of a test', registers };
  const calls = new Counter({ ...common, name: 'calls_total', labelNames: ['tool'] });
  for (const [tool, count] of Object.entries(numbers.calls ?? {})) calls.inc({ tool }, count);
  new Gauge({ ...common, name: 'active' }).set(numbers.active ?? 0);
  new Gauge({ ...common, name: 'least', aggregator: 'min' }).set(numbers.least ?? 0);
  new Gauge({ ...common, name: 'greatest', aggregator: 'max' }).set(numbers.greatest ?? 0);
  const times = new Histogram({ ...common, name: 'seconds', buckets: [1, 10] });
  for (const seconds of numbers.times ?? []) times.observe(seconds);
  new Gauge({ ...common, name: 'process_start_time_seconds', aggregator: 'omit' }).set(numbers.began ?? 0);
  // As it comes through the pipe.
  return structuredClone(await registers[0]!.getMetricsAsJSON()) as unknown as MetricsSnapshot;
}

const nothing: MetricsSnapshot = [];

function read(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('sums counters, histograms and gauges, and takes the least or the greatest where that counts', async () => {
  const merged = createMergedMetrics();
  const text = await merged.scrape(
    nothing,
    new Map([
      [1, await snapshotOf({ calls: { a: 1, b: 2 }, active: 3, least: 5, greatest: 5, times: [0.5, 20] })],
      [2, await snapshotOf({ calls: { a: 10 }, active: 4, least: 4, greatest: 7, times: [0.7] })],
    ]),
  );
  expect(read(text, 'calls_total{tool="a"}')).toBe(11);
  expect(read(text, 'calls_total{tool="b"}')).toBe(2);
  expect([read(text, 'active'), read(text, 'least'), read(text, 'greatest')]).toEqual([7, 4, 7]);
  expect(read(text, 'seconds_bucket{le="1"}')).toBe(2);
  expect(read(text, 'seconds_count')).toBe(3);
});

test('tells when the process that merges began, and of no other', async () => {
  const text = await createMergedMetrics().scrape(
    await snapshotOf({ began: 100 }),
    new Map([[1, await snapshotOf({ began: 200 })]]),
  );
  expect(read(text, 'process_start_time_seconds')).toBe(100);
});

test('counters never go back: neither when a process is silent, nor when it ends and another begins', async () => {
  const merged = createMergedMetrics();
  const scrape = async (others: ReadonlyMap<number, MetricsSnapshot>): Promise<number | undefined> =>
    read(await merged.scrape(nothing, others), 'calls_total{tool="a"}');
  expect(await scrape(new Map([[1, await snapshotOf({ calls: { a: 5 } })]]))).toBe(5);
  // Silent.
  expect(await scrape(new Map())).toBe(5);
  merged.gone(1);
  expect(await scrape(new Map())).toBe(5);
  expect(await scrape(new Map([[2, await snapshotOf({ calls: { a: 1 } })]]))).toBe(6);
  merged.gone(2);
  // Gone already, or never scraped.
  merged.gone(2);
  merged.gone(99);
  expect(await scrape(new Map([[3, await snapshotOf({ calls: { a: 1 } })]]))).toBe(7);
});

test('what a process that ended had at that moment is told no more', async () => {
  const merged = createMergedMetrics();
  await merged.scrape(nothing, new Map([[1, await snapshotOf({ active: 3, greatest: 9, times: [0.5] })]]));
  merged.gone(1);
  const text = await merged.scrape(nothing, new Map([[2, await snapshotOf({ active: 1, greatest: 2 })]]));
  expect([read(text, 'active'), read(text, 'greatest')]).toEqual([1, 2]);
  expect(read(text, 'seconds_count')).toBe(1);
});
