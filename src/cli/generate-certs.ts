import { join } from 'node:path';
import { readDays, readHost, readName, readSpiffe, texts } from './certs/arguments.ts';
import { type CaFolder, indexFile, lockOf, readCa, saveCa } from './certs/ca-folder.ts';
import { locked, makeFolder } from './certs/files.ts';
import { initCommand, makeCa } from './certs/init.ts';
import { type LeafOrder, makeLeaves, saveLeaves } from './certs/issue.ts';
import { clientCommand, serverCommand } from './certs/leaf-commands.ts';
import { answering, UsageError } from './certs/problems.ts';
import { renewCommand } from './certs/renew.ts';
import { crlCommand, revokeCommand } from './certs/revoke.ts';
import { readSecretsRequest, secretOptions, tellSecrets } from './certs/shared.ts';
import { showCommand } from './certs/show.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, invoke, text } from './command.ts';

const subcommands: ReadonlyMap<string, Command> = new Map([
  ['init', initCommand],
  ['server', serverCommand],
  ['client', clientCommand],
  ['renew', renewCommand],
  ['revoke', revokeCommand],
  ['crl', crlCommand],
  ['show', showCommand],
]);

const help = `Makes a private CA, server certificates and client certificates for mutual TLS, for development and for small
private installations.

Usage: sallyport generate-certs COMMAND [options]

${[...subcommands].map(([name, { summary }]) => `  ${name.padEnd(18)}${summary}`).join('\n')}

sallyport generate-certs COMMAND --help tells more, with examples.

Usage: sallyport generate-certs [options]

makes all that a gateway needs in one go. Nothing that exists is ever overwritten.

  --out DIR              where to write (default: certs)
  --san NAME             DNS name or IP address of the server; repeatable or comma-separated
                         (default: localhost,127.0.0.1,::1)
  --client NAME=SPIFFE   a client known by its SPIFFE ID, e.g. etl=spiffe://acme.example/ns/data/sa/etl; repeatable
  --client-cn NAME       a client known by its common name only; repeatable
                         (default: demo=spiffe://sallyport.example/client/demo)
  --ca-from DIR          use the CA in DIR (made by init or by this) and make only what --client, --client-cn and
                         --san name
  --days N               how long server and clients are valid (default: 365, at most 825)
  --ca-days N            how long a new CA is valid (default: 3650, at most 7300), and its revocation list
  --k8s-secrets DIR      also write Kubernetes Secrets there, for the namespace --namespace N (default: sallyport)

Writes, with keys readable by their owner alone:

  DIR/ca/ca.crt  ca.key  ca.crl          trust ca.crt; ca.crl is an empty revocation list
  DIR/ca/index.json                      what the CA has made and revoked
  DIR/server/tls.crt  tls.key
  DIR/clients/NAME/tls.crt  tls.key

Exit code 0 done, 1 refused or failed (then no file is left behind), 2 wrong arguments.

Examples:
  sallyport generate-certs
  sallyport generate-certs --san mcp.acme.example --client etl=spiffe://acme.example/ns/data/sa/etl
  sallyport generate-certs --ca-from certs/ca --client bob=spiffe://acme.example/user/bob
`;

interface Settings {
  readonly out: string;
  readonly caFrom: string | undefined;
  readonly orders: readonly LeafOrder[];
  readonly caDays: number;
}

export const generateCertsCommand: Command = {
  summary: 'make a private CA and certificates for mutual TLS',
  help,
  subcommands,
  options: {
    out: { type: 'string' },
    san: { type: 'string', multiple: true },
    client: { type: 'string', multiple: true },
    'client-cn': { type: 'string', multiple: true },
    'ca-from': { type: 'string' },
    days: { type: 'string' },
    'ca-days': { type: 'string' },
    ...secretOptions,
  },
  run: (values, positionals, io) =>
    answering('generate-certs', io, async () => {
      const settings = readSettings(values, positionals);
      const secrets = readSecretsRequest(values);
      const directory = settings.caFrom ?? join(settings.out, 'ca');
      if (settings.caFrom === undefined) await makeFolder(directory);
      await locked(lockOf(directory), async () => {
        const written =
          settings.caFrom === undefined ? await makeAll(directory, settings) : await add(directory, settings);
        for (const path of written) io.stdout(`${path}\n`);
        await tellSecrets(directory, secrets, io);
      });
      return exitCodes.ok;
    }),
};

/** Runs `generate-certs` with a command line of its own. @returns the exit code */
export function generateCerts(
  argv: readonly string[],
  io: Pick<CommandIo, 'stdout' | 'stderr'>,
): Promise<number> {
  return invoke(generateCertsCommand, argv, { stdout: io.stdout, stderr: io.stderr, environment: {} });
}

async function makeAll(directory: string, settings: Settings): Promise<readonly string[]> {
  const now = Date.now();
  const made = await makeCa(directory, {
    name: 'Sallyport private CA',
    now,
    days: settings.caDays,
    key: 'ec-p256',
    permitted: undefined,
    intermediate: false,
    // As long as the CA: an expired list refuses every client, and nobody renews what was made to try things out.
    crlDays: null,
  });
  const { ca, signer, files } = made;
  const leaves = await makeLeaves(ca, settings.orders, { now, base: settings.out, signer });
  const index = { ...ca.index, issued: [...ca.index.issued, ...leaves.map(({ entry }) => entry)] };
  const all = [...files, ...leaves.flatMap((leaf) => leaf.files)].map((file) => ({
    ...file,
    replace: false,
  }));
  await saveCa(ca, index, all, true);
  return [...all.map(({ path }) => path), join(directory, indexFile)];
}

async function add(directory: string, settings: Settings): Promise<readonly string[]> {
  const ca: CaFolder = await readCa(directory);
  const leaves = await makeLeaves(ca, settings.orders, { now: Date.now(), base: settings.out });
  await saveLeaves(ca, leaves);
  return leaves.flatMap(({ files }) => files.map(({ path }) => path));
}

function readSettings(values: CommandValues, positionals: readonly string[]): Settings {
  if (positionals.length > 0) throw new UsageError(`unexpected argument: ${positionals.join(' ')}`);
  const caFrom = text(values, 'ca-from');
  // 825 days is the longest that common TLS stacks accept of a server.
  const days = readDays(values, 'days', 365, 825);
  const clients = [
    ...texts(values, 'client').map(readClient),
    ...texts(values, 'client-cn').map((name) => ({ name: readName(name), uris: [] as string[] })),
  ];
  const hosts = texts(values, 'san').flatMap((list) =>
    list.split(',').map((host) => readHost('--san', host)),
  );
  if (caFrom === undefined) {
    if (clients.length === 0)
      clients.push({ name: 'demo', uris: ['spiffe://sallyport.example/client/demo'] });
    if (hosts.length === 0) hosts.push('localhost', '127.0.0.1', '::1');
  } else if (clients.length === 0 && hosts.length === 0) {
    throw new UsageError('--ca-from needs a --client, --client-cn or --san: there is nothing to make');
  }
  const seen = new Set<string>();
  for (const { name } of clients) {
    // Some file systems take `Bob` and `bob` for one folder.
    if (seen.has(name.toLowerCase())) throw new UsageError(`two clients are named ${name}`);
    seen.add(name.toLowerCase());
  }
  const [first] = hosts;
  const server =
    first === undefined
      ? []
      : [
          {
            kind: 'server',
            name: 'server',
            // X.520 ends a common name at 64 characters; the names that count are in the extension.
            commonName: first.length <= 64 ? first : 'sallyport',
            hosts: [...new Set(hosts)],
            days,
          } as const,
        ];
  return {
    out: text(values, 'out') ?? 'certs',
    caFrom,
    caDays: readDays(values, 'ca-days', 3650, 7300),
    orders: [
      ...server,
      ...clients.map(({ name, uris }) => ({ kind: 'client', name, commonName: name, uris, days }) as const),
    ],
  };
}

function readClient(argument: string): { name: string; uris: string[] } {
  const at = argument.indexOf('=');
  if (at === -1) throw new UsageError(`--client ${argument}: write NAME=spiffe://domain/path`);
  const spiffe = readSpiffe(`--client ${argument}`, argument.slice(at + 1));
  return { name: readName(argument.slice(0, at)), uris: [spiffe] };
}
