/**
 * `npm start`: a gateway with a real MCP server behind it, and a walk past what it lets through and what it does not.
 *
 * Uses the very `sallyport.yaml` and `policies/` of this checkout. `--once` ends after the walk; otherwise the gateway
 * keeps serving. `--folder DIR` keeps what the tour writes (certificates, audit) there and not in the checkout.
 * `EVERYTHING_PORT` and `SALLYPORT_…` move ports; 0 takes a free one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { invoke } from '../src/cli/command.ts';
import { generateCertsCommand } from '../src/cli/generate-certs.ts';
import { loadConfig } from '../src/config/load.ts';
import { formatProblem } from '../src/document/problems.ts';
import { startGateway } from '../src/gateway.ts';
import { startEverything } from './everything.ts';
import { createMtlsFetch, type MtlsFetch } from './mtls-fetch.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const callers = ['alice', 'bob', 'carol'] as const;
type Caller = (typeof callers)[number];

const { values: flags } = parseArgs({
  options: { once: { type: 'boolean', default: false }, folder: { type: 'string', default: root } },
});
const folder = resolve(flags.folder);
const certificates = join(folder, 'certs');
const io = {
  stdout: (text: string) => void process.stdout.write(text),
  stderr: (text: string) => void process.stderr.write(text),
  environment: process.env,
};

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function heading(text: string): void {
  say(`\n\x1b[1m${text}\x1b[0m`);
}

function fileOf(path: string): string {
  return relative(process.cwd(), join(root, path)) || '.';
}

/** Points every file that the tour makes into the folder that it was given. */
function movedFiles(): readonly string[] {
  if (folder === resolve(root)) return [];
  const moved = {
    'listeners.0.tls.certificate': 'certs/server/tls.crt',
    'listeners.0.tls.key': 'certs/server/tls.key',
    'listeners.0.tls.clients.ca': 'certs/ca/ca.crt',
    'listeners.0.tls.clients.crl': 'certs/ca/ca.crl',
    'identity.0.certificate.trust.0.ca': 'certs/ca/ca.crt',
    'audit.file': 'audit/sallyport.jsonl',
  };
  return Object.entries(moved).map(([key, file]) => `${key}=${join(folder, file)}`);
}

/** `sallyport generate-certs …` without a word about files; a failure ends the tour. */
async function certs(...words: readonly string[]): Promise<void> {
  const code = await invoke(generateCertsCommand, [...words, '--out', certificates], { ...io, stdout() {} });
  if (code !== 0) process.exit(code);
}

function fetchAs(caller: string | undefined): MtlsFetch {
  const ca = join(certificates, 'ca/ca.crt');
  if (caller === undefined) return createMtlsFetch({ ca });
  const folder = join(certificates, 'clients', caller);
  return createMtlsFetch({ ca, certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') });
}

/** One line for a handshake that must be refused. */
async function withoutEntry(caller: string | undefined): Promise<string> {
  const { fetch, close } = fetchAs(caller);
  try {
    await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
    process.exitCode = 1;
    return '\x1b[31mthis must not happen: the handshake was accepted\x1b[0m';
  } catch (error) {
    const { cause } = error as { cause?: { code?: string; message?: string } };
    const said = cause?.code?.startsWith('ERR_SSL') === true ? cause.code : cause?.message;
    return `\x1b[31mrefused\x1b[0m  ${said ?? String(error)}`;
  } finally {
    await close();
  }
}

/** One line for the outcome of a call: the text of the result, or the error as the client sees it. */
async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    const { content, contents } = (await call()) as {
      content?: readonly { type?: string; text?: string }[];
      contents?: readonly { type?: string; text?: string }[];
    };
    const texts = [...(content ?? []), ...(contents ?? [])].map(({ type, text }) => text ?? type ?? '');
    return `\x1b[32mallowed\x1b[0m  ${texts.join(' ')}`;
  } catch (error) {
    const { code, message, data } = error as { code?: unknown; message: string; data?: unknown };
    const details = data === undefined ? '' : ` ${JSON.stringify(data)}`;
    return `\x1b[31mrefused\x1b[0m  ${code ?? ''} ${message}${details}`;
  }
}

if (!existsSync(join(certificates, 'ca/ca.crt'))) {
  heading('Throw-away certificates for this tour');
  const clients = callers.flatMap((caller) => ['--client', `${caller}=spiffe://sallyport.local/${caller}`]);
  const code = await invoke(generateCertsCommand, ['--out', certificates, ...clients], io);
  if (code !== 0) process.exit(code);
}

const everything = await startEverything(Number(process.env['EVERYTHING_PORT'] ?? 3001));
const loaded = await loadConfig(
  join(root, 'sallyport.yaml'),
  { ...process.env, EVERYTHING_PORT: String(everything.port) },
  movedFiles(),
);
if (!loaded.ok) {
  for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
  await everything.close();
  process.exit(3);
}
const started = await startGateway(loaded.config);
if (!started.ok) {
  for (const problem of started.problems) io.stderr(`${problem}\n`);
  await everything.close();
  process.exit(3);
}
const { gateway } = started;
const url = `${gateway.listeners[0]!.url}${loaded.config.upstreams[0]!.path}`;
const auditFile = loaded.config.audit.file;
const auditStart = readFileSync(auditFile, 'utf8').length;

heading('The gate stands');
say(
  `${url}\n  in front of the official server-everything at ${everything.url}\n  as ${fileOf('sallyport.yaml')} and ${fileOf('policies')}/ say`,
);

const fetches = new Map<Caller, MtlsFetch>();
const clients = new Map<Caller, Client>();
for (const caller of callers) {
  const withCertificate = fetchAs(caller);
  const client = new Client({ name: `tour-${caller}`, version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: withCertificate.fetch }));
  fetches.set(caller, withCertificate);
  clients.set(caller, client);
}

heading('Who sees which tools (one server, three certificates)');
for (const [caller, client] of clients) {
  const { tools } = await client.listTools();
  say(`  ${caller.padEnd(6)} ${tools.map(({ name }) => name).join(', ')}`);
}

const metadata = 'https://169.254.169.254/latest/meta-data/';
const allowedUrl = 'https://raw.githubusercontent.com/a/b/main/README.md';
const dynamicDocument = 'demo://resource/dynamic/text/1';
const call = (caller: Caller, name: string, args: Record<string, unknown>) =>
  outcomeOf(() => clients.get(caller)!.callTool({ name, arguments: args }));

heading('An allowed call');
say(`  alice  echo                    ${await call('alice', 'echo', { message: 'hello' })}`);

heading('Denied by role: carol may only echo, and nobody may read the environment');
say(`  carol  get-sum                 ${await call('carol', 'get-sum', { a: 1, b: 2 })}`);
say(`  bob    get-env                 ${await call('bob', 'get-env', {})}`);

heading('Refused for an argument: alice may add numbers up to 1000');
say(`  alice  get-sum 20 + 22         ${await call('alice', 'get-sum', { a: 20, b: 22 })}`);
say(`  alice  get-sum 5000 + 1        ${await call('alice', 'get-sum', { a: 5000, b: 1 })}`);

heading('What is inside: arguments are what the tool and the rules say, or are refused or rewritten by name');
say(`  bob    fetch metadata service  ${await call('bob', 'gzip-file-as-resource', { data: metadata })}`);
say(`  alice  echo, hidden text       ${await call('alice', 'echo', { message: 'a\u202eb' })}`);
say(`  alice  echo, undeclared        ${await call('alice', 'echo', { message: 'a', verbose: true })}`);
const steps = { duration: 0.1, steps: 500 };
say(`  bob    500 steps, clamped      ${await call('bob', 'trigger-long-running-operation', steps)}`);

heading('What comes back: card numbers and secrets stay behind');
say(
  `  alice  echo, a card number     ${await call('alice', 'echo', { message: 'card 4111 1111 1111 1111' })}`,
);

heading('What after what: nothing goes out after bob read what strangers may have written');
const document = await outcomeOf(() => clients.get('bob')!.readResource({ uri: dynamicDocument }));
say(`  bob    read a dynamic document ${document}`);
say(`  bob    fetch, for 5 minutes    ${await call('bob', 'gzip-file-as-resource', { data: allowedUrl })}`);

heading('Limited: carol may echo a few times a minute');
for (let count = 1, limited = false; count <= 12 && !limited; count += 1) {
  const outcome = await call('carol', 'echo', { message: `call ${count}` });
  limited = outcome.includes('4290');
  say(`  carol  echo                    ${outcome}`);
}

if (existsSync(join(certificates, 'ca/index.json'))) {
  heading("Revoked: the certificate on alice's lost laptop, in the middle of a session. Her other one works");
  await certs('client', 'alice-laptop', '--spiffe', 'spiffe://sallyport.local/alice', '--force');
  const laptop = fetchAs('alice-laptop');
  const client = new Client({ name: 'tour-laptop', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: laptop.fetch }));
  const echo = () => outcomeOf(() => client.callTool({ name: 'echo', arguments: { message: 'still here' } }));
  say(`  alice-laptop  echo             ${await echo()}`);
  await certs('revoke', 'alice-laptop', '--reason', 'keyCompromise');
  // A change of the list is found within a second. A tour does not wait.
  await gateway.reload('signal');
  say(`  alice-laptop  echo             ${await withoutEntry('alice-laptop')}`);
  say(`  alice         echo             ${await call('alice', 'echo', { message: 'still here' })}`);
  await laptop.close();
}

heading('Without a certificate');
say(`  nobody                         ${await withoutEntry(undefined)}`);

heading(`What the audit file says (${relative(process.cwd(), auditFile)})`);
const records = readFileSync(auditFile, 'utf8').slice(auditStart).trimEnd().split('\n');
const telling = ['"effect":"rewritten"', '"code":"rate-limited"'];
const found = telling.flatMap((text) => records.filter((line) => line.includes(text)).slice(0, 1));
for (const line of [...found, ...records.slice(-4)]) say(`  ${line}`);

heading('Try it');
const pem = (path: string) => relative(process.cwd(), join(certificates, path));
const body =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"curl","version":"1"}}}';
say(`  curl --cacert ${pem('ca/ca.crt')} --cert ${pem('clients/alice/tls.crt')} --key ${pem('clients/alice/tls.key')} \\
    -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' \\
    -d '${body}' ${url}`);
say(`  npm run -s sallyport -- explain --as spiffe://sallyport.local/carol --tool get-sum`);
say(
  `  npm run -s sallyport -- explain --as spiffe://sallyport.local/bob --tool trigger-long-running-operation --args '{"steps":500}'`,
);
say(`  npm run -s sallyport -- roles propose`);
say(`  npm run -s sallyport -- check`);
say(`  npm run -s sallyport -- learn ${relative(process.cwd(), auditFile)}`);
say(`  npm run -s sallyport -- scaffold ${everything.url}`);
say(`  edit ${fileOf('policies')}/ while it runs: a saved change is in force within a second`);

for (const client of clients.values()) await client.close();
for (const withCertificate of fetches.values()) await withCertificate.close();

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  await gateway.drain();
  await everything.close();
}

if (flags.once) {
  await stop();
  process.exit(process.exitCode ?? 0);
}
say('\nServing until Ctrl-C.');
process.on('SIGHUP', () => void gateway.reload('signal'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
