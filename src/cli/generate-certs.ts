import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { parseSpiffeId } from '../identity/spiffe.ts';
import { type Authority, loadAuthority } from './certificates.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, invoke, text } from './command.ts';
import {
  type Certificates,
  type CertificatesRequest,
  type ClientRequest,
  createCertificates,
} from './create-certificates.ts';

const help = `Makes a private CA, a server certificate and client certificates for mutual TLS, for development and for small
private installations. Nothing that exists is ever overwritten.

Usage: sallyport generate-certs [options]

  --out DIR              where to write (default: certs)
  --san NAME             DNS name or IP address of the server; repeatable or comma-separated
                         (default: localhost,127.0.0.1,::1)
  --client NAME=SPIFFE   a client known by its SPIFFE ID, e.g. etl=spiffe://acme.example/ns/data/sa/etl; repeatable
  --client-cn NAME       a client known by its common name only; repeatable
                         (default: demo=spiffe://sallyport.example/client/demo)
  --ca-from DIR          use the CA in DIR (ca.crt and ca.key) and make only what --client, --client-cn and --san name
  --days N               how long server and clients are valid (default: 365, at most 825)
  --ca-days N            how long a new CA is valid (default: 3650, at most 7300)

Writes, with keys readable by their owner alone:

  DIR/ca/ca.crt  ca.key  ca.crl          trust ca.crt; ca.crl is an empty revocation list
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
  readonly request: Omit<CertificatesRequest, 'now' | 'authority'>;
}

interface PlannedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** The arguments cannot be understood. */
class UsageError extends Error {}
/** They can, but what they ask for is refused or fails. */
class RefusedError extends Error {}

export const generateCertsCommand: Command = {
  summary: 'make a private CA and certificates for mutual TLS',
  help,
  options: {
    out: { type: 'string' },
    san: { type: 'string', multiple: true },
    client: { type: 'string', multiple: true },
    'client-cn': { type: 'string', multiple: true },
    'ca-from': { type: 'string' },
    days: { type: 'string' },
    'ca-days': { type: 'string' },
  },
  async run(values, positionals, io) {
    try {
      const settings = readSettings(values, positionals);
      const authority = settings.caFrom === undefined ? undefined : await readAuthority(settings.caFrom);
      const certificates = await createCertificates({ ...settings.request, now: Date.now(), authority });
      const files = planFiles(certificates, settings);
      await writeAll(files);
      for (const { path } of files) io.stdout(`${path}\n`);
      return exitCodes.ok;
    } catch (error) {
      if (error instanceof UsageError) {
        io.stderr(`generate-certs: ${error.message}\nTry: sallyport generate-certs --help\n`);
        return exitCodes.usage;
      }
      if (error instanceof RefusedError) {
        io.stderr(`generate-certs: ${error.message}\n`);
        return exitCodes.no;
      }
      throw error;
    }
  },
};

/** Runs `generate-certs` with a command line of its own. @returns the exit code */
export function generateCerts(
  argv: readonly string[],
  io: Pick<CommandIo, 'stdout' | 'stderr'>,
): Promise<number> {
  return invoke(generateCertsCommand, argv, { stdout: io.stdout, stderr: io.stderr, environment: {} });
}

function planFiles(certificates: Certificates, settings: Settings): readonly PlannedFile[] {
  const files: PlannedFile[] = [];
  const plan = (mode: number, text: string, ...names: string[]) =>
    files.push({ path: join(settings.out, ...names), text, mode });
  if (settings.caFrom === undefined) {
    plan(0o644, certificates.authority.certPem, 'ca', 'ca.crt');
    plan(0o600, certificates.authority.keyPem, 'ca', 'ca.key');
    plan(0o644, certificates.crlPem, 'ca', 'ca.crl');
  }
  if (certificates.server !== undefined) {
    plan(0o644, certificates.server.certPem, 'server', 'tls.crt');
    plan(0o600, certificates.server.keyPem, 'server', 'tls.key');
  }
  for (const [name, pair] of certificates.clients) {
    plan(0o644, pair.certPem, 'clients', name, 'tls.crt');
    plan(0o600, pair.keyPem, 'clients', name, 'tls.key');
  }
  return files;
}

function readSettings(values: CommandValues, positionals: readonly string[]): Settings {
  if (positionals.length > 0) throw new UsageError(`unexpected argument: ${positionals.join(' ')}`);
  const caFrom = text(values, 'ca-from');
  const clients: ClientRequest[] = [
    ...texts(values, 'client').map(readClient),
    ...texts(values, 'client-cn').map((name) => ({ name: readClientName(name) })),
  ];
  const hosts = texts(values, 'san').flatMap((list) => list.split(',').map(readHost));
  if (caFrom === undefined) {
    if (clients.length === 0)
      clients.push({ name: 'demo', spiffe: 'spiffe://sallyport.example/client/demo' });
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
  return {
    out: text(values, 'out') ?? 'certs',
    caFrom,
    request: {
      hosts: [...new Set(hosts)],
      clients,
      // 825 days is the longest that common TLS stacks accept of a server.
      days: readDays('--days', text(values, 'days') ?? '365', 825),
      caDays: readDays('--ca-days', text(values, 'ca-days') ?? '3650', 7300),
    },
  };
}

function texts(values: CommandValues, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function readClient(argument: string): ClientRequest {
  const at = argument.indexOf('=');
  if (at === -1) throw new UsageError(`--client ${argument}: write NAME=spiffe://domain/path`);
  const spiffe = argument.slice(at + 1);
  const parsed = parseSpiffeId(spiffe);
  if (parsed === undefined || parsed.path === '') {
    throw new UsageError(`--client ${argument}: not a SPIFFE ID with a path: ${spiffe}`);
  }
  return { name: readClientName(argument.slice(0, at)), spiffe };
}

/** The name becomes a folder: no separator, and no leading dot, can be in it. */
function readClientName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new UsageError(`not a client name: ${JSON.stringify(name)} (letters, digits, . _ -, at most 64)`);
  }
  return name;
}

function readHost(text: string): string {
  const host = text.trim().toLowerCase();
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  if (isIP(host) !== 0) return host;
  if (host.length <= 253 && new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`).test(host)) return host;
  throw new UsageError(`--san: not a DNS name or IP address: ${JSON.stringify(text)}`);
}

function readDays(option: string, text: string, maximum: number): number {
  const days = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > maximum) throw new UsageError(`${option}: a number of days from 1 to ${maximum}`);
  return days;
}

async function readAuthority(directory: string): Promise<Authority> {
  try {
    return await loadAuthority({
      certPem: await readFile(join(directory, 'ca.crt'), 'utf8'),
      keyPem: await readFile(join(directory, 'ca.key'), 'utf8'),
    });
  } catch (error) {
    throw new RefusedError(`cannot use the CA in ${directory}: ${toMessage(error)}`);
  }
}

/** Writes all files or leaves none: every path is checked before the first is written, and each is created anew. */
async function writeAll(files: readonly PlannedFile[]): Promise<void> {
  const existing: string[] = [];
  for (const { path } of files) if (await exists(path)) existing.push(path);
  if (existing.length > 0) {
    throw new RefusedError(`nothing is overwritten, and these exist:\n  ${existing.join('\n  ')}`);
  }
  const written: string[] = [];
  try {
    for (const { path, text, mode } of files) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // `wx` does not follow a link that somebody put there since the check.
      await writeFile(path, text, { flag: 'wx', mode });
      written.push(path);
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    throw new RefusedError(`cannot write: ${toMessage(error)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    // Not stat: a dangling link exists too.
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw new RefusedError(`cannot look at ${path}: ${toMessage(error)}`);
  }
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
