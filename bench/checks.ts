/**
 * `node bench/checks.ts [--quick]`: microseconds of CPU that each check takes of one small call and its small result.
 *
 * The list is the real one, every frame is decoded anew. Calls go through it in flocks: each check sees a whole flock
 * before the next one does, so that the clock of the CPU is read once for many. Afterwards the whole way of one call
 * after the other, decoding included, with the checks of content and without: the difference is what they cost in company.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Frame } from '../src/mcp/frame.ts';
import type { Exchange } from '../src/pipeline/exchange.ts';
import { endAll, type Passage, runToClient, runToUpstream } from '../src/pipeline/run.ts';
import { type Call, calls, createAnswer, createExchange } from './checks/calls.ts';
import { formatColumns } from './checks/columns.ts';
import { type BenchGate, contentChecks, createBenchGate } from './checks/gate.ts';
import { cpu, gone, idOf, sealedSession } from './checks/steps.ts';
import { median } from './table.ts';

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
/** As many calls as one session may have under way. */
const flock = 250;
const plan = flags.quick
  ? { flock, warmUp: 25, rounds: 25, pathRounds: 7, turns: 1 }
  : { flock, warmUp: 100, rounds: 101, pathRounds: 21, turns: 3 };

const gate = await createBenchGate(true);

for (const call of calls) {
  const { rows, content, rest } = await costOfChecks(call);
  const path = costOfPaths(call);
  console.log(`\n${call.title}, \u00b5s of CPU\n`);
  console.log(formatColumns(['check', 'to the upstream', 'to the client'], rows));
  console.log(
    `\nchecks of content ${content.toFixed(1)}, the others ${rest.toFixed(1)}; in company ` +
      `${(path.full - path.bare).toFixed(1)} (${path.full.toFixed(1)} with them, ${path.bare.toFixed(1)} without, ` +
      `${(path.full / path.bare).toFixed(2)} \u00d7)`,
  );
}

interface Costs {
  readonly rows: readonly (readonly string[])[];
  /** Sums of the medians, both directions. */
  readonly content: number;
  readonly rest: number;
}

async function costOfChecks(call: Call): Promise<Costs> {
  const sessionId = sealedSession(gate, call);
  const samples = gate.filters.map(() => ({ up: [] as number[], down: [] as number[] }));
  for (let round = -plan.warmUp; round < plan.rounds; round += 1) {
    const flock = Array.from({ length: plan.flock }, () => createExchange(call, gate, sessionId));
    let frames: readonly Frame[] = flock.map(({ request }) => request);
    for (const [index, filter] of gate.filters.entries()) {
      const { microseconds, after } = await through([filter], runToUpstream, frames, flock);
      frames = after;
      if (round >= 0) samples[index]!.up.push(microseconds);
    }
    frames = frames.map((frame) => createAnswer(idOf(frame), call.revision));
    for (const [index, filter] of [...gate.filters.entries()].reverse()) {
      const { microseconds, after } = await through([filter], runToClient, frames, flock);
      frames = after;
      if (round >= 0) samples[index]!.down.push(microseconds);
    }
    for (const [index, exchange] of flock.entries()) {
      if (idOf(frames[index]!) !== idOf(exchange.request)) throw new Error('not the answer to this call');
      if (endAll(gate.filters, exchange).length > 0) throw new Error('a check did not end');
    }
  }
  let content = 0;
  let rest = 0;
  const rows = gate.filters.map((filter, index) => {
    const up = filter.toUpstream === undefined ? undefined : median(samples[index]!.up);
    const down = filter.toClient === undefined ? undefined : median(samples[index]!.down);
    if (contentChecks.has(filter.name)) content += (up ?? 0) + (down ?? 0);
    else rest += (up ?? 0) + (down ?? 0);
    return [filter.name, show(up), show(down)];
  });
  return { rows, content, rest };
}

async function through(
  filters: readonly BenchGate['filters'][number][],
  run: typeof runToUpstream,
  frames: readonly Frame[],
  flock: readonly Exchange[],
): Promise<{ readonly microseconds: number; readonly after: readonly Frame[] }> {
  const passages: (Passage | Promise<Passage>)[] = [];
  const start = cpu();
  for (const [index, frame] of frames.entries()) passages.push(run(filters, frame, flock[index]!));
  const microseconds = (cpu() - start) / frames.length;
  const after: Frame[] = [];
  for (const passage of passages) after.push(gone(await passage));
  return { microseconds, after };
}

/** The whole way of a call with the checks of content and without, each in a process of its own: one's types are not the other's. */
function costOfPaths(call: Call): { readonly full: number; readonly bare: number } {
  const taken = { full: [] as number[], bare: [] as number[] };
  for (let turn = 0; turn < plan.turns; turn += 1) {
    for (const which of ['full', 'bare'] as const) {
      const argument = `${which} ${calls.indexOf(call)} ${plan.pathRounds}`;
      const file = join(import.meta.dirname, 'checks/path.ts');
      taken[which].push(Number(execFileSync(process.execPath, [file, argument], { encoding: 'utf8' })));
    }
  }
  return { full: median(taken.full), bare: median(taken.bare) };
}

function show(microseconds: number | undefined): string {
  return microseconds === undefined ? '\u2013' : microseconds.toFixed(2);
}
