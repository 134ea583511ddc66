/**
 * Runs the official conformance suite through the gateway, in both roles.
 *
 * `node test/conformance/run.ts [--direct] [--only 2025-11-25|2026-07-28|client] [--output folder]
 * [--report file]`. With `--direct` there is
 * no gateway in between: the baseline, which tells a fault of the gateway from a fault of the fixture.
 * Exit code 0 only if every expected scenario ran and passed.
 */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import {
  type ClientExpectation,
  clientExpectations,
  type ServerExpectation,
  serverExpectations,
} from './expectations.ts';
import { hasPassed, readResults, type ScenarioResult } from './results.ts';
import { startTarget } from './target.ts';

interface Tally {
  readonly title: string;
  readonly passed: number;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

const { values: flags } = parseArgs({
  options: {
    direct: { type: 'boolean', default: false },
    only: { type: 'string' },
    output: { type: 'string' },
    report: { type: 'string' },
  },
});
const suite = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance/dist/index.js');
const output = flags.output ?? (await mkdtemp(join(tmpdir(), 'sallyport-conformance-')));

const jobs = [
  ...serverExpectations
    .filter((expected) => flags.only === undefined || flags.only === expected.requirements)
    .map((expected) => () => runServerSuite(expected)),
  ...clientExpectations
    .filter(() => flags.only === undefined || flags.only === 'client')
    .map((expected) => () => runClientScenario(expected)),
];
if (jobs.length === 0) throw new Error(`--only ${flags.only} selects nothing`);

// Two suites side by side keep two cores busy; more would only make the timing scenarios late.
const tallies = await runJobs(jobs, 2);
for (const tally of tallies) {
  console.log(`${tally.problems.length === 0 ? 'ok  ' : 'FAIL'} ${tally.title}`);
  for (const problem of tally.problems) console.log(`       ${problem}`);
  for (const note of tally.notes) console.log(`       known: ${note}`);
}
const failed = tallies.reduce((sum, tally) => sum + tally.problems.length, 0);
const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
console.log(`${passed} passed, ${failed} failed`);
if (flags.report !== undefined) await writeFile(flags.report, JSON.stringify({ passed, failed }));
if (failed === 0 && flags.output === undefined) await rm(output, { recursive: true, force: true });
else console.log(`Results of the suite: ${output}`);
process.exitCode = failed === 0 ? 0 : 1;

async function runServerSuite(expected: ServerExpectation): Promise<Tally> {
  const directory = join(output, expected.requirements);
  const fixture = await startEverythingFixture();
  const target = await startTarget(fixture.url, { direct: flags.direct });
  const exitCode = await runSuite(
    ['server', '--url', target.url, '--requirements', expected.requirements],
    directory,
  ).finally(() => target.close().finally(() => fixture.close()));

  const looked = (await readResults(directory, 'server-')).filter(
    (result) => !expected.notOffered.includes(result.scenario),
  );
  const passed = looked.filter(hasPassed);
  const isScored = (result: ScenarioResult) => !expected.unscored.includes(result.scenario);
  const scored = passed.filter(isScored).length;
  const unscored = passed.length - scored;
  const problems = looked.filter((result) => !hasPassed(result)).map(describe);
  const missing = expected.scored + expected.unscored.length - looked.length;
  if (missing !== 0) problems.push(`${missing} expected scenarios did not run`);
  if (exitCode !== 0) problems.push(`the suite ended with exit code ${exitCode}`);
  return {
    title:
      `server ${expected.requirements}: ${scored} of ${expected.scored} scored, ` +
      `${unscored} of ${expected.unscored.length} others, ${passed.length} of ${expected.scored + expected.unscored.length} together`,
    passed: passed.length,
    problems,
    notes: looked.flatMap((result) => result.notes),
  };
}

async function runClientScenario(expected: ClientExpectation): Promise<Tally> {
  const title = `client ${expected.scenario} at ${expected.revision}`;
  const directory = join(output, `client-${expected.scenario}-${expected.revision}`);
  // The suite splits the command at spaces and hands the pieces to a shell, so paths stay relative.
  const command = `node test/conformance/through-gateway.ts${flags.direct ? ' --direct' : ''}`;
  const exitCode = await runSuite(
    ['client', '--command', command, '--scenario', expected.scenario, '--spec-version', expected.revision],
    directory,
  );
  const results = await readResults(directory, '');
  const problems = results.filter((result) => !hasPassed(result)).map(describe);
  const succeeded = results.reduce((sum, result) => sum + result.succeeded, 0);
  if (succeeded !== expected.checks) problems.push(`${succeeded} of ${expected.checks} checks succeeded`);
  if (exitCode !== 0)
    problems.push(`the suite ended with exit code ${exitCode}: see ${join(directory, 'log.txt')}`);
  return { title, passed: problems.length === 0 ? 1 : 0, problems, notes: [] };
}

function describe(result: ScenarioResult): string {
  return `${result.scenario}: ${result.problems.join('; ') || 'no check succeeded'}`;
}

/** Runs the suite's own command line and gives its exit code. What it prints goes to `log.txt`. */
async function runSuite(args: readonly string[], directory: string): Promise<number> {
  await mkdir(directory, { recursive: true });
  const child = spawn(process.execPath, [suite, ...args, '--output-dir', directory], {
    cwd: join(import.meta.dirname, '../..'),
    // The command of a client scenario says just `node`: it has to be this one.
    env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => printed.push(chunk));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  await writeFile(join(directory, 'log.txt'), Buffer.concat(printed));
  return exitCode;
}

/** Runs all jobs, so many at a time, and gives their results in the order of the jobs. */
async function runJobs<T>(work: readonly (() => Promise<T>)[], atOnce: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const runSome = async (): Promise<void> => {
    for (let index = next++; index < work.length; index = next++) {
      const job = work[index];
      if (job !== undefined) results[index] = await job();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runSome));
  return results;
}
