/**
 * `npm test`: everything that has to hold, in the order in which failing is cheapest.
 *
 * Installs what the tests need from Debian where it can, ends with one line `N passed, N failed` taken from the real
 * results, and exits non-zero if anything failed or could not be run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureKubectl } from './debian-kubectl.ts';
import { ensureDebianPackages } from './debian-packages.ts';
import { faultTable, forgetFaultRows } from './fault-table.ts';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const results = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
const total = { passed: 0, failed: 0 };

function add(name: string, count: Count): void {
  total.passed += count.passed;
  total.failed += count.failed;
  console.log(`\n== ${name}: ${count.passed} passed, ${count.failed} failed\n`);
}

/** Runs a program of this project with its own Node. */
function run(command: string, args: readonly string[]): number {
  const done = spawnSync(command, args, { stdio: 'inherit', env: process.env });
  if (done.error !== undefined) console.error(`${command}: ${done.error.message}`);
  return done.status ?? 1;
}

function single(name: string, command: string, args: readonly string[]): void {
  const status = run(command, args);
  add(name, status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}

function vitest(name: string, args: readonly string[]): void {
  const report = join(results, 'vitest.json');
  rmSync(report, { force: true });
  const status = run('vitest', [
    'run',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  add(name, countOf(report, status));
}

const faultFolder = 'test/faults/';

/** One file at a time, with nothing beside it: what a fault does to honest traffic is told from numbers. */
function faults(): void {
  forgetFaultRows();
  vitest('faults', [faultFolder, '--no-file-parallelism']);
  console.log(faultTable());
}

function conformance(): void {
  const report = join(results, 'conformance.json');
  const status = run(process.execPath, ['test/conformance/run.ts', '--report', report]);
  add('conformance', countOf(report, status));
}

/** A run that left no readable report, or failed without a failed test, counts as one failure: never as green. */
function countOf(report: string, status: number): Count {
  try {
    const read = JSON.parse(readFileSync(report, 'utf8')) as Record<string, unknown>;
    const passed = Number(read['numPassedTests'] ?? read['passed']);
    const failed = Number(read['numFailedTests'] ?? read['failed']);
    if (!Number.isInteger(passed) || !Number.isInteger(failed))
      throw new TypeError('no counts in the report');
    return { passed, failed: status !== 0 && failed === 0 ? 1 : failed };
  } catch (cause) {
    console.error(`no result from ${report}: ${(cause as Error).message}`);
    return { passed: 0, failed: 1 };
  }
}

const missing = [
  ...ensureDebianPackages([
    { command: 'openssl', debian: 'openssl' },
    { command: 'redis-server', debian: 'redis-server' },
    { command: 'redis-sentinel', debian: 'redis-sentinel' },
    { command: 'redis-cli', debian: 'redis-tools' },
    { command: 'faketime', debian: 'faketime' },
  ]),
];
const kubectl = ensureKubectl(fileURLToPath(new URL('../node_modules/.cache/kubectl', import.meta.url)));
if (kubectl !== undefined) missing.push(kubectl);
for (const line of missing) console.error(line);
total.failed += missing.length;

single('lint', 'biome', ['check', '--error-on-warnings', '.']);
single('types', 'tsc', ['--noEmit']);
vitest('unit and gateway tests', [`--exclude=${faultFolder}**`, `--maxWorkers=${availableParallelism()}`]);
faults();
conformance();
rmSync(results, { recursive: true, force: true });

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
