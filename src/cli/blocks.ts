import { resolve } from 'node:path';
import type { BlockedAddress } from '../listener/blocks.ts';
import { blockKeyOf } from '../listener/control.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, jsonLines, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { askControl } from './control-client.ts';

export const blocksCommand: Command = {
  summary: 'show and release addresses that a running gateway has blocked',
  help: `Shows the addresses that a running gateway has blocked because they kept failing, and releases them. It asks over the
control socket of that gateway (control.socket), so it must run as the same user, on the same machine.

Usage: sallyport blocks [--json] [--socket FILE]
       sallyport blocks release ADDRESS [--socket FILE]
       sallyport blocks release --all [--socket FILE]

  --json              the list as JSON
  --all               release every address
  --socket FILE       the control socket; default: control.socket of the gateway file
${configOptionsHelp}

IPv6 addresses are blocked by their /64: any address in it names it. A released address begins anew, without points.
Exit code 0, 1 where the address is not blocked or no gateway answers, 2 wrong command line, 3 wrong configuration.

Examples:
  sallyport blocks
  sallyport blocks release 203.0.113.7
  sallyport blocks release --all --socket /run/sallyport/control.sock
`,
  options: {
    ...configOptions,
    json: { type: 'boolean' },
    all: { type: 'boolean' },
    socket: { type: 'string' },
  },
  async run(values, positionals, io) {
    const task = readTask(values, positionals);
    if (typeof task === 'string') {
      io.stderr(`${task}\n`);
      return exitCodes.usage;
    }
    const socket = await findSocket(values, io);
    if (socket === undefined) return exitCodes.configuration;
    try {
      const { status, value } = await askControl(socket, task.method, task.path);
      if (status !== 200) {
        io.stderr(`${socket}: the gateway answered ${status}\n`);
        return exitCodes.no;
      }
      return task.tell(value, io);
    } catch (error) {
      io.stderr(
        `${socket}: no gateway answers there (${(error as NodeJS.ErrnoException).code ?? 'no answer'})\n`,
      );
      return exitCodes.no;
    }
  },
};

interface Task {
  readonly method: 'GET' | 'DELETE';
  readonly path: string;
  /** @returns the exit code */
  tell(value: unknown, io: CommandIo): number;
}

/** What is to be done, or what is wrong with the command line. */
function readTask(values: CommandValues, positionals: readonly string[]): Task | string {
  const [action, address, ...rest] = positionals;
  const all = values['all'] === true;
  if (rest.length > 0) return 'One address at a time';
  if (action === undefined) {
    if (all) return '--all goes with release';
    return {
      method: 'GET',
      path: '/blocks',
      tell: (value, io) => showBlocks(value, values['json'] === true, io),
    };
  }
  if (action !== 'release') return `Say release, or nothing for the list: not ${JSON.stringify(action)}`;
  if (values['json'] === true) return '--json goes with the list';
  if (all === (address !== undefined)) return 'Name an address, or --all';
  if (address !== undefined && blockKeyOf(address) === undefined) {
    return `${JSON.stringify(address)} is not an address`;
  }
  return {
    method: 'DELETE',
    path: address === undefined ? '/blocks' : `/blocks/${encodeURIComponent(address)}`,
    tell: showReleased,
  };
}

/** @returns undefined where the configuration is wrong or names none; that has been said then */
async function findSocket(values: CommandValues, io: CommandIo): Promise<string | undefined> {
  const given = text(values, 'socket');
  if (given !== undefined) return resolve(given);
  const config = await readConfig(values, io);
  if (config !== undefined && config.control === undefined) {
    io.stderr('The gateway file has no control socket (control.socket): name one with --socket.\n');
  }
  return config?.control?.socket;
}

function showBlocks(value: unknown, json: boolean, io: CommandIo): number {
  const { blocks } = value as { readonly blocks: readonly BlockedAddress[] };
  if (json) {
    io.stdout(jsonLines(blocks));
    return exitCodes.ok;
  }
  if (blocks.length === 0) io.stdout('No address is blocked.\n');
  for (const { address, seconds, times, offences } of blocks) {
    const why = Object.entries(offences).map(([kind, count]) => `${count} ${kind}`);
    io.stdout(`${address.padEnd(24)} ${seconds}s left, block ${times} in a row: ${why.join(', ')}\n`);
  }
  return exitCodes.ok;
}

function showReleased(value: unknown, io: CommandIo): number {
  const { released } = value as { readonly released: number };
  if (released === 0) io.stderr('Not blocked: nothing was released.\n');
  else io.stdout(`${released} released.\n`);
  return released === 0 ? exitCodes.no : exitCodes.ok;
}
