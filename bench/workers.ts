/**
 * Calls per second through a whole gateway, `sallyport run`, with one worker and with several.
 *
 *     node bench/workers.ts [workers] [seconds per round] [case: small | large | stream]
 *
 * Rounds alternate, so that a busy machine disturbs both alike; the median of each counts. Load, upstream and gateway share
 * the machine: a ratio near the number of workers needs cores for all of them.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import type { LoadAnswer, LoadQuestion } from './load.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

const rounds = 5;
const connections = 32;

async function startRun(
  workplace: Workplace,
  upstream: string,
  workers: number,
): Promise<{ readonly url: string; end(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../src/main.ts'),
      'run',
      '--config',
      join(import.meta.dirname, 'sallyport-plain.yaml'),
      '--set',
      `workers=${workers}`,
      '--set',
      'log.level=info',
      '--set',
      'overload.delay=off',
      '--set',
      `audit.file=${join(workplace.folder, `audit-${workers}.jsonl`)}`,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, BENCH_FOLDER: workplace.folder, BENCH_UPSTREAM: upstream },
    },
  );
  let log = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const serving = log
        .split('\n')
        .find((line) => line.includes('"event":"serving"') && line.endsWith('}'));
      if (serving !== undefined) resolve((JSON.parse(serving) as { listeners: string[] }).listeners[0]!);
    });
    child.once('exit', () => reject(new Error(log)));
  });
  return {
    url: `${url}/mcp`,
    end: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

async function measure(several: number, seconds: number, name: string): Promise<void> {
  const workplace = await createWorkplace();
  const server = await startChild<{ url: string }>('server.ts', {});
  const counts = [1, several];
  const gateways = [];
  for (const workers of counts) gateways.push(await startRun(workplace, server.ready.url, workers));
  // Two of them: one alone is as busy as one worker.
  const loads = await Promise.all([startChild('load.ts', {}), startChild('load.ts', {})]);
  const rates: number[][] = counts.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { url }] of gateways.entries()) {
      const question: LoadQuestion = {
        target: { url, tls: undefined, headers: { 'x-api-key': workplace.apiKey } },
        case: name,
        connections: connections / loads.length,
        until: { milliseconds: seconds * 1000 },
      };
      const answers = await Promise.all(loads.map(({ child }) => child.ask<LoadAnswer>(question)));
      const rate = answers.reduce((sum, each) => sum + each.requests / (each.milliseconds / 1000), 0);
      // The first round warms up.
      if (round > 0) rates[index]!.push(rate);
    }
  }
  const medians = rates.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)]!);
  for (const [index, workers] of counts.entries())
    console.log(`${name}, workers ${workers}: ${Math.round(medians[index]!)} calls/s`);
  console.log(`ratio ${(medians[1]! / medians[0]!).toFixed(2)} on ${availableParallelism()} cores`);
  for (const gateway of gateways) await gateway.end();
  for (const { child } of loads) await child.end();
  await server.child.end();
  await workplace.remove();
}

await measure(Number(process.argv[2] ?? 2), Number(process.argv[3] ?? 3), process.argv[4] ?? 'small');
