import { isIP } from 'node:net';
import { type Command, type CommandIo, type CommandValues, exitCodes, text } from '../command.ts';
import {
  readClientHost,
  readDays,
  readHost,
  readKeyKind,
  readName,
  readSpiffe,
  readUri,
  texts,
} from './arguments.ts';
import { withCa } from './ca-folder.ts';
import { type LeafOrder, makeLeaves, saveLeaves } from './issue.ts';
import { answering, UsageError } from './problems.ts';
import {
  makePkcs12,
  type Pkcs12Wish,
  passwordOptions,
  placeOption,
  readPkcs12Wish,
  readPlace,
  readSecretsRequest,
  secretOptions,
  tellPassword,
  tellSecrets,
} from './shared.ts';

/** 825 days is the longest that common TLS stacks accept of a server; nothing shows a client the door later. */
export const longestLeaf = 825;

/** A year, because where nobody renews by a timer a shorter life ends in an outage. With one, take 90 or less. */
export const defaultLeaf = 365;

const common = `  --out DIR         the folder of init (default: certs)
  --days N          how long it is valid (default: 365, at most 825)
  --key KIND        ec-p256 (default), ec-p384, ed25519 or rsa-3072
  --force           replace the certificate and key of this name; the old certificate stays valid until it is revoked
  --k8s-secrets DIR     also write Kubernetes Secrets there, for --namespace N (default: sallyport)
`;

const serverHelp = `Makes a certificate for a gateway, good for server authentication only.

Usage: sallyport generate-certs server HOST... [options]

  HOST...           DNS names and IP addresses that clients call it by
  --dns NAME        one more DNS name; repeatable
  --ip ADDRESS      one more IP address; repeatable
  --name NAME       what the folder and the index call it (default: server, in DIR/server; others in DIR/servers/NAME)
${common}
Exit code 0 done, 1 refused or failed, 2 wrong arguments.

Examples:
  sallyport generate-certs server mcp.acme.example
  sallyport generate-certs server mcp.acme.example sallyport.sallyport.svc --ip 10.1.2.3 --days 90
  sallyport generate-certs server edge.acme.example --name edge --key rsa-3072
`;

const clientHelp = `Makes a certificate for a client, good for client authentication only, in DIR/clients/NAME.

Usage: sallyport generate-certs client NAME [options]

One of these says who it is; NAME is also the common name:

  --spiffe ID       a SPIFFE ID, such as spiffe://acme.example/ns/data/sa/etl
  --uri URI         another URI
  --dns HOST        a DNS name
  --cn              nothing but the common name: any other CA can write the same

  --p12             also a PKCS#12 file for browsers, DIR/clients/NAME/NAME.p12
  --password-file F its password, the first line of F; without it one is made and shown once
${common}
Exit code 0 done, 1 refused or failed, 2 wrong arguments.

Examples:
  sallyport generate-certs client etl --spiffe spiffe://acme.example/ns/data/sa/etl
  sallyport generate-certs client ann --spiffe spiffe://acme.example/user/ann --p12
  sallyport generate-certs client batch --dns batch.acme.example --days 30
`;

const leafOptions = {
  ...placeOption,
  ...secretOptions,
  days: { type: 'string' },
  key: { type: 'string' },
  force: { type: 'boolean' },
} as const;

export const serverCommand: Command = {
  summary: 'make a certificate for a gateway',
  help: serverHelp,
  options: {
    ...leafOptions,
    name: { type: 'string' },
    dns: { type: 'string', multiple: true },
    ip: { type: 'string', multiple: true },
  },
  run: (values, positionals, io) =>
    answering('generate-certs server', io, async () => {
      const hosts = [
        ...positionals.map((host) => readHost('server', host)),
        ...texts(values, 'dns').map((host) => readKindOfHost('--dns', host, false)),
        ...texts(values, 'ip').map((host) => readKindOfHost('--ip', host, true)),
      ];
      const [first] = hosts;
      if (first === undefined) throw new UsageError('name a host that clients call it by');
      return makeOne(values, io, {
        kind: 'server',
        name: readName(text(values, 'name') ?? 'server'),
        // X.520 ends a common name at 64 characters; the names that count are in the extension.
        commonName: first.length <= 64 ? first : 'sallyport',
        hosts: [...new Set(hosts)],
        days: readDays(values, 'days', defaultLeaf, longestLeaf),
        key: readKeyKind(values),
      });
    }),
};

export const clientCommand: Command = {
  summary: 'make a certificate for a client',
  help: clientHelp,
  options: {
    ...leafOptions,
    ...passwordOptions,
    spiffe: { type: 'string' },
    uri: { type: 'string' },
    dns: { type: 'string' },
    cn: { type: 'boolean' },
  },
  run: (values, positionals, io) =>
    answering('generate-certs client', io, async () => {
      const [given, ...others] = positionals;
      if (given === undefined || others.length > 0) throw new UsageError('name one client');
      const name = readName(given);
      return makeOne(
        values,
        io,
        {
          kind: 'client',
          name,
          commonName: name,
          ...readIdentity(values),
          days: readDays(values, 'days', defaultLeaf, longestLeaf),
          key: readKeyKind(values),
        },
        await readPkcs12Wish(values),
      );
    }),
};

function readKindOfHost(option: string, host: string, address: boolean): string {
  const read = readHost(option, host);
  if ((isIP(read) !== 0) !== address)
    throw new UsageError(
      `${option}: not ${address ? 'an IP address' : 'a DNS name'}: ${JSON.stringify(host)}`,
    );
  return read;
}

function readIdentity(values: CommandValues): Pick<LeafOrder, 'hosts' | 'uris'> {
  const [spiffe, uri, dns] = [text(values, 'spiffe'), text(values, 'uri'), text(values, 'dns')];
  const given = [spiffe, uri, dns, values['cn']].filter((value) => value !== undefined);
  // The gateway takes no name of a certificate that has two of a kind.
  if (given.length !== 1) throw new UsageError('say who it is by one of --spiffe, --uri, --dns and --cn');
  if (spiffe !== undefined) return { uris: [readSpiffe('--spiffe', spiffe)] };
  if (uri !== undefined) return { uris: [readUri(uri)] };
  return dns === undefined ? {} : { hosts: [readClientHost(dns)] };
}

async function makeOne(
  values: CommandValues,
  io: CommandIo,
  order: LeafOrder,
  wish?: Pkcs12Wish,
): Promise<number> {
  const { base, directory } = readPlace(values);
  const secrets = readSecretsRequest(values);
  const replace = values['force'] === true;
  await withCa(directory, async (ca) => {
    const [leaf] = await makeLeaves(ca, [order], { now: Date.now(), base, replace });
    const p12 = wish?.wanted === true ? await makePkcs12(base, leaf!, wish, replace) : undefined;
    await saveLeaves(ca, [leaf!], p12 === undefined ? [] : [p12.file]);
    for (const { path } of [...leaf!.files, ...(p12 === undefined ? [] : [p12.file])]) io.stdout(`${path}\n`);
    if (p12 !== undefined) tellPassword(p12, io);
    await tellSecrets(directory, secrets, io);
  });
  return exitCodes.ok;
}
