import { duration } from '../document/units.ts';
import { writeApproval } from '../lookups/approvals.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';

/** A day: an approval is for a call that somebody waits with. */
const validity = duration({ min: 1_000, max: 86_400_000 });

export const approveCommand: Command = {
  summary: 'approve one call that a flow rule holds back',
  help: `Approves one call that a flow rule with "effect: approve" holds back. Its ticket stands in the answer to the call
(data.approval) and in the audit. The caller then makes the same call again: same caller, same server, same arguments.
An approval is good for one call.

Usage: sallyport approve TICKET [--for DURATION] [--folder FOLDER]

  --for DURATION      how long the approval waits to be used; default 10m, at most 24h
  --folder FOLDER     the folder of approvals; default: flows.approvals of the gateway file
${configOptionsHelp}

Exit code 0 where the approval was written, 2 where the ticket or the time is none, 3 where the configuration is wrong.

Examples:
  sallyport approve 6f1ed002ab5595859014ebf0951522d9
  sallyport approve 6f1ed002ab5595859014ebf0951522d9 --for 1h
  sallyport approve 6f1ed002ab5595859014ebf0951522d9 --folder /var/lib/sallyport/approvals
`,
  options: { ...configOptions, for: { type: 'string' }, folder: { type: 'string' } },
  async run(values, positionals, io) {
    const [ticket] = positionals;
    if (ticket === undefined || positionals.length > 1 || !/^[0-9a-f]{32}$/.test(ticket)) {
      io.stderr('Give one ticket: 32 lower-case hexadecimal digits.\n');
      return exitCodes.usage;
    }
    const wait = validity.safeParse(text(values, 'for') ?? '10m');
    if (!wait.success) {
      io.stderr(`--for: ${wait.error.issues[0]?.message}\n`);
      return exitCodes.usage;
    }
    const folder = text(values, 'folder') ?? (await configuredFolder(values, io));
    if (folder === undefined) return exitCodes.configuration;
    const until = Date.now() + wait.data;
    const file = await writeApproval(folder, ticket, until);
    io.stdout(`${file}: good for one call until ${new Date(until).toISOString()}\n`);
    return exitCodes.ok;
  },
};

async function configuredFolder(values: CommandValues, io: CommandIo): Promise<string | undefined> {
  const config = await readConfig(values, io);
  if (config === undefined) return undefined;
  const { flows } = config;
  if (flows.approvals === undefined) {
    io.stderr('The gateway file names no folder of approvals (flows.approvals).\n');
  }
  return flows.approvals;
}
