import { join, resolve } from 'node:path';
import { changePinsFile, readPinsFile, replacePinsFile } from '../config/pins-file.ts';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import { writeYaml } from '../document/write-yaml.ts';
import { type Comparison, compareOffer, lookAlikesIn } from '../pins/compare.ts';
import { formatLock } from '../pins/format-lock.ts';
import { approve, emptyLock, type Offer, type PinLock } from '../pins/lock.ts';
import type { PinsOptions } from '../pins/options.ts';
import { parseLock } from '../pins/parse-lock.ts';
import { visible } from '../pins/visible.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { fetchOffers } from './offers.ts';
import { includes, type PinTarget, readTargets } from './pin-targets.ts';

export const pinCommand: Command = {
  summary: 'pin what servers say of their tools, and show and approve what changed',
  help: `Keeps the lock file: the definitions of tools, and the instructions of servers, that were reviewed.

Usage: sallyport pin (init | diff | approve | show) [TARGET]... [options]

  init                writes the lock file from what the servers offer now; it must not exist yet
  diff                shows what the servers offer otherwise than the lock file says
  approve             shows it, and takes it over into the lock file
  show                shows what is pinned

  TARGET              UPSTREAM, UPSTREAM/TOOL, or UPSTREAM:instructions; approve needs one, or --all
  --all               approve everything, of every upstream
  --by NAME           who approves; kept beside what is approved
  --note TEXT         why; kept beside what is approved
  --file FILE         the lock file; default: pins.file of the gateway file, else pins.yaml beside it
${configOptionsHelp}

The servers are asked with the gateway's own credentials. Nothing is written unless all of them answer.
Exit code 0, 1 where diff finds a difference, 3 where a server does not answer or a file is wrong.

Examples:
  sallyport pin init --by alice
  sallyport pin diff warehouse
  sallyport pin approve warehouse/query --by alice --note "adds the parameter limit"
`,
  options: {
    ...configOptions,
    all: { type: 'boolean' },
    by: { type: 'string' },
    note: { type: 'string' },
    file: { type: 'string' },
  },
  async run(values, positionals, io) {
    const [action, ...rest] = positionals;
    const run = action === undefined ? undefined : actions.get(action);
    if (run === undefined) {
      io.stderr(`Say what to do: init, diff, approve or show\n\n${pinCommand.help}`);
      return exitCodes.usage;
    }
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    const upstreams = config.upstreams.map(({ name }) => name);
    const targets = readTargets(rest, upstreams);
    if (!targets.ok) {
      io.stderr(`${targets.problem}\n`);
      return exitCodes.usage;
    }
    return run({ config, values, io, targets: targets.value, file: lockFileOf(config, values) });
  },
};

interface Task {
  readonly config: Config;
  readonly values: CommandValues;
  readonly io: CommandIo;
  readonly targets: readonly PinTarget[];
  readonly file: string;
}

const actions: ReadonlyMap<string, (task: Task) => Promise<number>> = new Map([
  ['init', init],
  ['diff', diff],
  ['approve', approveOffers],
  ['show', show],
]);

function pinsOf(config: Config): PinsOptions | undefined {
  return config.pins;
}

function lockFileOf(config: Config, values: CommandValues): string {
  const named = text(values, 'file');
  return named === undefined ? (pinsOf(config)?.file ?? join(config.folder, 'pins.yaml')) : resolve(named);
}

async function init(task: Task): Promise<number> {
  const { config, io, file } = task;
  if ((await readPinsFile(file)) !== undefined) {
    io.stderr(`${file} exists already: \`sallyport pin approve\` changes it\n`);
    return exitCodes.configuration;
  }
  const offers = await askAll(task);
  if (offers === undefined) return exitCodes.configuration;
  let lock = emptyLock;
  for (const [upstream, offer] of offers)
    lock = approve(lock, upstream, offer, undefined, true, reviewOf(task));
  if (!(await write(task, lock, undefined))) return exitCodes.configuration;
  for (const [upstream, { tools, instructions }] of offers) {
    io.stdout(`${upstream}: ${tools.size} tools${instructions === undefined ? '' : ' and instructions'}\n`);
  }
  io.stdout(`written to ${file}; read it before you rely on it\n`);
  if (pinsOf(config)?.file === undefined) io.stdout(`to use it: pins: { file: ${file} } in ${config.file}\n`);
  return exitCodes.ok;
}

async function diff(task: Task): Promise<number> {
  const held = await readHeld(task);
  const offers = held === undefined ? undefined : await askAll(task);
  if (held === undefined || offers === undefined) return exitCodes.configuration;
  const found = comparisons(held.lock, offers, task.targets);
  for (const each of found) printComparison(each, task.io);
  for (const upstream of held.lock.upstreams.keys()) {
    if (task.config.upstreams.some(({ name }) => name === upstream)) continue;
    task.io.stderr(`warning: ${visible(upstream)} is in the lock file and not in the configuration\n`);
  }
  if (found.length === 0) task.io.stdout('the servers offer what is pinned\n');
  return found.length === 0 ? exitCodes.ok : exitCodes.no;
}

async function approveOffers(task: Task): Promise<number> {
  const { io, targets, values } = task;
  if (targets.length > 0 === (values['all'] === true)) {
    io.stderr('Name what to approve, or say --all\n');
    return exitCodes.usage;
  }
  const held = await readHeld(task);
  const offers = held === undefined ? undefined : await askAll(task);
  if (held === undefined || offers === undefined) return exitCodes.configuration;
  const found = comparisons(held.lock, offers, targets);
  if (found.length === 0) {
    io.stdout('the servers offer what is pinned: there is nothing to approve\n');
    return exitCodes.ok;
  }
  let { lock } = held;
  for (const [upstream, offer] of offers) {
    const here = found.filter((each) => each.upstream === upstream);
    const tools = new Set(here.flatMap(({ tool }) => tool ?? []));
    const instructions = here.some(({ tool }) => tool === undefined);
    if (here.length > 0) lock = approve(lock, upstream, offer, tools, instructions, reviewOf(task));
  }
  for (const each of found) printComparison(each, io);
  if (!(await write(task, lock, held.text))) return exitCodes.configuration;
  io.stdout(`approved: ${found.length}; written to ${task.file}\n`);
  return exitCodes.ok;
}

async function show(task: Task): Promise<number> {
  const { io, targets } = task;
  const held = await readHeld(task);
  if (held === undefined) return exitCodes.configuration;
  for (const [upstream, { instructions, tools }] of held.lock.upstreams) {
    if (instructions !== undefined && includes(targets, upstream, undefined)) {
      io.stdout(`${visible(upstream)}:instructions ${instructions.hash}${byLine(instructions)}\n`);
    }
    for (const [name, tool] of tools) {
      if (!includes(targets, upstream, name)) continue;
      io.stdout(`${visible(upstream)}/${visible(name)} ${tool.hash}${byLine(tool)}\n`);
      // One that is asked for by name is shown whole.
      if (targets.some((target) => target.tool === name)) io.stdout(writeYaml(tool.definition));
    }
  }
  return exitCodes.ok;
}

function byLine({
  approvedBy,
  note,
}: {
  approvedBy?: string | undefined;
  note?: string | undefined;
}): string {
  return `${approvedBy === undefined ? '' : ` by ${visible(approvedBy)}`}${note === undefined ? '' : `: ${visible(note)}`}`;
}

function reviewOf({ values }: Task): { approvedBy?: string; note?: string } {
  const by = text(values, 'by');
  const note = text(values, 'note');
  return { ...(by === undefined ? {} : { approvedBy: by }), ...(note === undefined ? {} : { note }) };
}

function comparisons(
  lock: PinLock,
  offers: ReadonlyMap<string, Offer>,
  targets: readonly PinTarget[],
): readonly Comparison[] {
  return [...offers].flatMap(([upstream, offer]) =>
    compareOffer(lock, upstream, offer).filter(({ tool }) => includes(targets, upstream, tool)),
  );
}

function printComparison({ upstream, tool, standing, details }: Comparison, io: CommandIo): void {
  const name = tool === undefined ? `${upstream}:instructions` : `${upstream}/${visible(tool)}`;
  io.stdout(`${name}: ${standing}\n${details.map((line) => `  ${line}\n`).join('')}`);
}

/** @returns undefined where one did not answer; all of them are named */
async function askAll({ config, targets, io }: Task): Promise<ReadonlyMap<string, Offer> | undefined> {
  const names = config.upstreams.map(({ name }) => name);
  const wanted = names.filter(
    (name) => targets.length === 0 || targets.some(({ upstream }) => upstream === name),
  );
  const offers = new Map<string, Offer>();
  for (const [name, offer] of await fetchOffers(config, wanted)) {
    if (offer === undefined) io.stderr(`${name}: its tools could not be listed to the end\n`);
    else offers.set(name, offer);
  }
  return offers.size === wanted.length ? offers : undefined;
}

async function readHeld({
  file,
  io,
}: Task): Promise<{ readonly lock: PinLock; readonly text: string } | undefined> {
  const source = await readPinsFile(file);
  if (source === undefined) {
    io.stderr(`${file}: there is no lock file; \`sallyport pin init\` writes one\n`);
    return undefined;
  }
  const parsed = parseLock(source);
  if (parsed.ok) return { lock: parsed.lock, text: source.text };
  for (const problem of parsed.problems) io.stderr(`${formatProblem(problem)}\n`);
  return undefined;
}

async function write(
  { file, io, config }: Task,
  lock: PinLock,
  before: string | undefined,
): Promise<boolean> {
  const formatted = formatLock(lock);
  // A definition that the reader of this file would refuse (nested too deeply, too large) must not get into it.
  const parsed = parseLock({ file, text: formatted });
  if (!parsed.ok) {
    for (const problem of parsed.problems) io.stderr(`cannot be pinned: ${formatProblem(problem)}\n`);
    return false;
  }
  if (!(await changePinsFile(file, () => replacePinsFile(file, formatted, before)))) {
    io.stderr(`${file} was changed meanwhile: nothing was written\n`);
    return false;
  }
  for (const pair of lookAlikesIn(lock, pinsOf(config)?.unique ?? false))
    io.stderr(`warning: ${visible(pair, 1000)}\n`);
  return true;
}
