import { withGrammars } from '../arguments/with-grammars.ts';
import type { Config } from '../config/schema.ts';
import { outboundOptions } from '../dialer/options.ts';
import { formatProblem } from '../document/problems.ts';
import { writeYaml } from '../document/write-yaml.ts';
import { openUpstreams } from '../gateway/upstreams.ts';
import { visible } from '../pins/visible.ts';
import { compilePolicy } from '../policy/compile.ts';
import { scaffoldPolicy } from '../policy/scaffold.ts';
import { endpointUrls, type HttpUpstreamOptions, httpUpstreamOptions } from '../upstream/options.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, text } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { readServerLists } from './server-lists.ts';

/** The server to ask, and what of the configuration its credentials need. */
interface Server {
  readonly name: string;
  readonly http: HttpUpstreamOptions;
  readonly config: Pick<Config, 'outbound' | 'assertions'>;
}

export const scaffoldCommand: Command = {
  summary: "write a first policy from a live server's lists",
  help: `Writes a first policy from a live server's lists: every tool, prompt and resource in a shadow rule of its own, with
notes on its risk by its annotations and its name. Everything stays denied until you take away \`mode: shadow\` and
bind the roles.

Usage: sallyport scaffold URL [--name NAME]
       sallyport scaffold --upstream NAME [--config FILE]

  URL                 the server's MCP endpoint, asked without credentials
  --name NAME         name of the upstream in the policy; default: server
  --upstream NAME     an upstream of the configuration, asked with the gateway's own credentials
${configOptionsHelp}

A server's own hints never make a tool milder than its name: they are not to be trusted.
Exit code 0, 3 where the server gives no list.

Examples:
  sallyport scaffold http://127.0.0.1:3001/mcp > policies/first.yaml
  sallyport scaffold https://mcp.example/mcp --name warehouse
  sallyport scaffold --upstream warehouse --config /etc/sallyport/sallyport.yaml
`,
  options: { ...configOptions, name: { type: 'string' }, upstream: { type: 'string' } },
  async run(values, positionals, io) {
    const server = await serverOf(values, positionals, io);
    if (typeof server === 'number') return server;
    const { name, http } = server;
    const upstreams = await openUpstreams({ ...server.config, upstreams: [{ name, http }] });
    const port = upstreams.ports.get(name)!;
    try {
      const lists = await readServerLists(port);
      if (lists === undefined) {
        io.stderr(`${endpointUrls(server.http).join(', ')}: its lists could not be read\n`);
        return exitCodes.configuration;
      }
      const { document, leftOut } = scaffoldPolicy({ upstream: server.name, ...lists });
      tell(
        leftOut.map((sentence) => `left out: ${sentence}`),
        io,
      );
      tell(
        lists.templates.map(
          (template) => `template ${JSON.stringify(template)}: write a pattern for what it may become`,
        ),
        io,
      );
      const yaml = writeYaml(document);
      const compiled = await withGrammars(() => compilePolicy([{ file: 'first.yaml', text: yaml }]));
      if (!compiled.ok) {
        for (const problem of compiled.problems) io.stderr(`${formatProblem(problem)}\n`);
        return exitCodes.configuration;
      }
      io.stdout(yaml);
      return exitCodes.ok;
    } finally {
      await upstreams.close();
    }
  },
};

/** Sentences of one kind: a server chooses how many there could be. */
const mostTold = 100;

/** What is in them comes from the server, and must not act on a terminal. */
function tell(sentences: readonly string[], io: CommandIo): void {
  for (const sentence of sentences.slice(0, mostTold)) io.stderr(`${visible(sentence, 1000)}\n`);
  if (sentences.length > mostTold) io.stderr(`… and ${sentences.length - mostTold} more\n`);
}

/** @returns an exit code where there is no server to ask */
async function serverOf(
  values: CommandValues,
  positionals: readonly string[],
  io: CommandIo,
): Promise<Server | number> {
  const upstream = text(values, 'upstream');
  const [url] = positionals;
  if ((url === undefined) === (upstream === undefined) || positionals.length > 1) {
    io.stderr(`Give a URL or --upstream.\n\n${scaffoldCommand.help}`);
    return exitCodes.usage;
  }
  if (url !== undefined) {
    const name = text(values, 'name') ?? 'server';
    const parsed = httpUpstreamOptions.safeParse({ url });
    if (!parsed.success || !/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
      io.stderr(
        parsed.success ? '--name: not a name for an upstream\n' : `${url}: not an http or https URL\n`,
      );
      return exitCodes.usage;
    }
    return {
      name,
      http: parsed.data,
      config: { outbound: outboundOptions.parse(undefined), assertions: undefined },
    };
  }
  const config = await readConfig(values, io);
  if (config === undefined) return exitCodes.configuration;
  const found = config.upstreams.find(({ name }) => name === upstream);
  if (found === undefined) {
    io.stderr(`--upstream: one of ${config.upstreams.map(({ name }) => name).join(', ')}\n`);
    return exitCodes.usage;
  }
  return { name: found.name, http: found.http, config };
}
