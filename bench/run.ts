/**
 * `npm run bench`: what the gateway costs, beside a bare pass-through that does nothing but pass bytes through.
 *
 *     node bench/run.ts [--quick] [--case small] [--target sallyport] [--warm-up ms] [--profile folder] [--folder for audit files]
 *
 * Upstream, proxies and load generator are processes of their own. CPU time is that of the proxy process alone, all of
 * its threads. The targets take turns within each round, so that a busy machine disturbs all of them alike.
 */
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Case, cases } from './cases.ts';
import { type Child, startChild } from './child.ts';
import type { LoadAnswer, LoadQuestion, LoadTarget } from './load.ts';
import type { MeasuredQuestion } from './measured.ts';
import { formatTable, type Sample } from './table.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

interface Target {
  readonly name: string;
  /** Undefined where clients speak to the upstream directly. */
  readonly proxy: Child | undefined;
  readonly load: LoadTarget;
  readonly yardstick: string | undefined;
}

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    case: { type: 'string' },
    target: { type: 'string' },
    'warm-up': { type: 'string' },
    profile: { type: 'string' },
    folder: { type: 'string' },
  },
});
const connections = 64;
/**
 * The engine compiles a path only after thousands of calls: what has not run for seconds is measured in its interpreter.
 * 500 ms are then some thousands of calls, with several collections of garbage in them.
 */
const plan = flags.quick
  ? { warmUpMs: Number(flags['warm-up'] ?? 450), rounds: 3, milliseconds: 150 }
  : { warmUpMs: Number(flags['warm-up'] ?? 2500), rounds: 7, milliseconds: 500 };

const children: Child[] = [];
const workplace = await createWorkplace(flags.folder);
process.once('SIGINT', () => void finish().then(() => process.exit(130)));
process.once('SIGTERM', () => void finish().then(() => process.exit(143)));
try {
  await measure(await startTargets(workplace));
} finally {
  await finish();
}
if (flags.case === undefined && flags.target === undefined) printChecks();

/** What each check costs, and credentials, in processes of their own, once the others have ended. */
function printChecks(): void {
  for (const name of ['checks.ts', 'credentials.ts']) {
    const file = join(import.meta.dirname, name);
    execFileSync(process.execPath, [file, ...(flags.quick ? ['--quick'] : [])], { stdio: 'inherit' });
  }
}

async function finish(): Promise<void> {
  await Promise.all(children.splice(0).map((child) => child.end()));
  await workplace.remove();
}

async function startTargets(place: Workplace): Promise<readonly Target[]> {
  const start = async (file: string, setup: unknown) => {
    const { child, ready } = await startChild<{ url: string }>(file, setup);
    children.push(child);
    return { proxy: child, url: ready.url };
  };
  const upstream = (await start('server.ts', {})).url;
  const withKey = { 'x-api-key': place.apiKey };
  const environment = { BENCH_UPSTREAM: upstream, BENCH_FOLDER: place.folder };
  const config = (name: string) => ({ config: join(import.meta.dirname, name), environment });

  const bare = await start('pass-through.ts', { upstream });
  const bareTls = await start('pass-through.ts', { upstream, tls: place.server });
  const plain = await start('gateway.ts', config('sallyport-plain.yaml'));
  const mtls = await start('gateway.ts', config('sallyport-mtls.yaml'));
  const over = (url: string, tls: boolean, headers: Readonly<Record<string, string>>): LoadTarget => ({
    url,
    tls: tls ? place.client : undefined,
    headers,
  });
  const names = { bare: 'bare pass-through, HTTP', bareTls: 'bare pass-through, mTLS' };
  return [
    { name: 'direct', proxy: undefined, load: over(upstream, false, withKey), yardstick: undefined },
    { name: names.bare, proxy: bare.proxy, load: over(bare.url, false, withKey), yardstick: undefined },
    {
      name: 'sallyport, HTTP',
      proxy: plain.proxy,
      load: over(plain.url, false, withKey),
      yardstick: names.bare,
    },
    { name: names.bareTls, proxy: bareTls.proxy, load: over(bareTls.url, true, {}), yardstick: undefined },
    { name: 'sallyport, mTLS', proxy: mtls.proxy, load: over(mtls.url, true, {}), yardstick: names.bareTls },
  ];
}

async function measure(all: readonly Target[]): Promise<void> {
  const { child: load } = await startChild('load.ts', {});
  children.push(load);
  const targets = all.filter(({ name }) => flags.target === undefined || name.includes(flags.target));
  const chosen = cases.filter(({ key }) => flags.case === undefined || flags.case.split(',').includes(key));
  const startedAt = performance.now();
  const samples = new Map<Case, Map<string, Sample[]>>();
  for (const sent of chosen) samples.set(sent, new Map(targets.map(({ name }) => [name, []])));
  for (const sent of chosen) {
    for (const target of targets) await sampleOf(target, sent, load, plan.warmUpMs);
  }
  if (flags.profile !== undefined) await profile(targets);
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const sent of chosen) {
      for (const target of targets) {
        samples
          .get(sent)
          ?.get(target.name)
          ?.push(await sampleOf(target, sent, load, plan.milliseconds));
      }
    }
  }
  if (flags.profile !== undefined) await saveProfiles(targets, flags.profile);
  const [cpu] = cpus();
  console.log(`node ${process.version}, ${process.arch}, ${cpus().length} × ${cpu?.model}`);
  console.log(
    `${connections} connections, median of ${plan.rounds} rounds of ${plan.milliseconds} ms after ${plan.warmUpMs} ms ` +
      'to warm up, spread from least to most.',
  );
  console.log('All processes share this machine with each other and with whatever else runs on it.');
  for (const [sent, byTarget] of samples) {
    const rows = targets.map(({ name, yardstick }) => ({
      target: name,
      samples: byTarget.get(name) ?? [],
      yardstick: yardstick === undefined ? undefined : byTarget.get(yardstick),
    }));
    console.log(`\n${sent.title}\n\n${formatTable(rows)}`);
  }
  console.log(`\n${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

async function sampleOf(
  { proxy, load: target }: Target,
  sent: Case,
  load: Child,
  milliseconds: number,
): Promise<Sample> {
  const call = (until: LoadQuestion['until']): Promise<LoadAnswer> =>
    load.ask({ target, case: sent.key, connections, until } satisfies LoadQuestion);
  // Connections and sessions are made before the clock runs.
  await call({ calls: 2 });
  const before = await proxy?.ask<number>({ kind: 'cpu' } satisfies MeasuredQuestion);
  const done = await call({ milliseconds });
  const after = await proxy?.ask<number>({ kind: 'cpu' } satisfies MeasuredQuestion);
  return {
    cpu: before === undefined || after === undefined ? undefined : (after - before) / done.requests,
    requestsPerSecond: (done.requests / done.milliseconds) * 1000,
  };
}

async function profile(targets: readonly Target[]): Promise<void> {
  for (const { proxy } of targets) await proxy?.ask({ kind: 'profile' } satisfies MeasuredQuestion);
}

async function saveProfiles(targets: readonly Target[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, proxy } of targets) {
    const file = join(folder, `${name.replaceAll(/[^a-zA-Z]+/g, '-')}.cpuprofile`);
    await proxy?.ask({ kind: 'save-profile', file } satisfies MeasuredQuestion);
  }
}
