/**
 * `npm run soak`: whether the gateway stays what it was.
 *
 *     node scripts/soak.ts [--minutes 10] [--no-faults]
 *
 * Mixed traffic of official clients with chaos between it, for so many minutes; memory, descriptors and children are
 * sampled all along. Then the whole suite of faults at its full sizes. Exits non-zero where something did not hold.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { soak } from '../test/faults/soak-run.ts';

const { values: flags } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, 'no-faults': { type: 'boolean', default: false } },
});
const minutes = Number(flags.minutes);
if (!(minutes > 0)) {
  console.error('--minutes takes a number above zero');
  process.exit(2);
}

const cell = (value: number, digits: number): string => value.toFixed(digits).padStart(10);
console.log('   seconds    RSS MiB   heap MiB descriptors children');
const report = await soak({
  milliseconds: minutes * 60_000,
  // Forty rows, whatever the length.
  every: Math.max(1000, (minutes * 60_000) / 40),
  onSample: ({ at, resident, heap, descriptors, children }) =>
    console.log(
      `${cell(at, 1)} ${cell(resident, 1)} ${cell(heap, 2)} ${String(descriptors).padStart(11)} ${String(children).padStart(8)}`,
    ),
});

const { sent, right, wrong, troubles, before, after, heapSlope, samples } = report;
const verdicts: readonly (readonly [boolean, string])[] = [
  [right / sent >= 0.999, `${right} of ${sent} honest answers right`],
  [
    // 0.5 MiB a minute, or 2 MiB in all where the run is short: what leaks a request's memory loses far more.
    heapSlope <= Math.max(0.5, 2 / minutes),
    `heap grew by ${heapSlope.toFixed(3)} MiB a minute after the first third`,
  ],
  [
    after.descriptors <= before.descriptors,
    `${before.descriptors} descriptors before, ${Math.max(...samples.map((one) => one.descriptors))} at most, ${after.descriptors} after`,
  ],
  [after.children === before.children, `${before.children} child processes before, ${after.children} after`],
];
console.log(`\ntroubles made: ${JSON.stringify(troubles)}`);
for (const [what, count] of [...wrong].slice(0, 12)) console.log(`wrong ${count} times: ${what}`);
for (const [held, what] of verdicts) console.log(`${held ? 'held  ' : 'FAILED'}  ${what}`);
let failed = verdicts.some(([held]) => !held);

if (!flags['no-faults']) {
  const env = { ...process.env, FAULTS: 'full' };
  const { status } = spawnSync('vitest', ['run', 'test/faults'], { stdio: 'inherit', env });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
