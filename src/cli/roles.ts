import { proposeRoles } from '../arguments/propose.ts';
import { withGrammars } from '../arguments/with-grammars.ts';
import { writeYaml } from '../document/write-yaml.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import { AuditArguments } from './audit-arguments.ts';
import { type Command, exitCodes } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { fetchOffers } from './offers.ts';

/** A description in a policy file may be so long. */
const longestDescription = 1000;

export const rolesCommand: Command = {
  summary: 'propose roles for the arguments of tools, for review',
  help: `Proposes a role for each argument of each tool, as a policy file in shadow mode, for review.

Usage: sallyport roles propose [UPSTREAM]... [--audit FILE]... [options]

  UPSTREAM            whose tools; default: all
  --audit FILE        audit file with arguments of past calls (rules that say \`audit: arguments\` write them); may be
                      given more than once. Roles then fit what was seen, and ranges are drawn round it.
${configOptionsHelp}

The servers are asked for their tools with the gateway's own credentials. Without --audit, names and declared types
alone decide: look at each role. Folders of paths and hosts of URLs are for you to narrow.
Exit code 0, 3 where a server does not answer or a file is wrong.

Examples:
  sallyport roles propose > policies/proposed-roles.yaml
  sallyport roles propose warehouse --audit audit/sallyport.jsonl
  sallyport roles propose warehouse mail --config /etc/sallyport/sallyport.yaml
`,
  options: { ...configOptions, audit: { type: 'string', multiple: true } },
  async run(values, positionals, io) {
    const [action, ...named] = positionals;
    if (action !== 'propose') {
      io.stderr(`Say what to do: propose\n\n${rolesCommand.help}`);
      return exitCodes.usage;
    }
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    const known = config.upstreams.map(({ name }) => name);
    const unknown = named.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      io.stderr(`${JSON.stringify(unknown)}: no such upstream; one of ${known.join(', ')}\n`);
      return exitCodes.usage;
    }
    const files = auditFiles(values.audit);
    const audit = new AuditArguments();
    for (const file of files) await audit.read(file);

    const offers = await fetchOffers(config, named.length === 0 ? known : named);
    const rules: JsonObject[] = [];
    for (const [upstream, offer] of offers) {
      if (offer === undefined) {
        io.stderr(`${upstream}: its list of tools could not be read\n`);
        return exitCodes.configuration;
      }
      for (const [name, definition] of offer.tools) {
        const schema = own(definition, 'inputSchema');
        const tool = { name, inputSchema: isJsonObject(schema) ? schema : undefined };
        const seen = files.length === 0 ? undefined : (audit.of(upstream, name) ?? []);
        const { args, why } = await withGrammars(() => proposeRoles(tool, seen));
        if (Object.keys(args).length === 0) continue;
        rules.push({
          description: describe(why, seen?.length),
          mode: 'shadow',
          match: { tools: [name], upstreams: [upstream] },
          args,
        });
      }
    }
    io.stdout(writeYaml({ version: 1, arguments: rules }));
    return exitCodes.ok;
  },
};

function describe(why: Readonly<Record<string, string>>, calls: number | undefined): string {
  const seen = calls === undefined ? 'from its schema' : `from its schema and ${calls} calls`;
  const reasons = Object.entries(why).map(([path, reason]) => `${path}: ${reason}`);
  const whole = `Proposed ${seen}. ${reasons.join('; ')}`;
  return whole.length <= longestDescription ? whole : `${whole.slice(0, longestDescription - 1)}…`;
}

function auditFiles(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}
