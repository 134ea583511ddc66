import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Command, exitCodes } from '../command.ts';
import { readDays, readWithin } from './arguments.ts';
import { fileOf, withCa } from './ca-folder.ts';
import { type CaIndex, currentOf, type Issued } from './ca-index.ts';
import { type LeafOrder, leafFolder, makeLeaves, saveLeaves } from './issue.ts';
import { defaultLeaf, longestLeaf } from './leaf-commands.ts';
import { answering, RefusedError, toMessage, UsageError } from './problems.ts';
import {
  makePkcs12,
  passwordOptions,
  placeOption,
  readPkcs12Wish,
  readPlace,
  readSecretsRequest,
  secretOptions,
  tellPassword,
  tellSecrets,
} from './shared.ts';

const help = `Makes certificates anew, with the same names and, unless told otherwise, new keys. The files are replaced; a gateway
that watches them loads the new ones. The old certificates stay valid until they expire or are revoked by serial.

Usage: sallyport generate-certs renew NAME... | --all [options]

  NAME...           as in show: NAME, server/NAME or client/NAME
  --all             every server and client that is not revoked
  --within N        of those, only what expires within N days, such as 30d (default with --all: 30d)
  --same-key        keep the keys: for clients whose key cannot be replaced. A key that leaked stays leaked
  --days N          how long the new ones are valid (default: 365, at most 825)
  --p12             also a new PKCS#12 file, for a client; --password-file F as for client
  --out DIR         the folder of init (default: certs)
  --k8s-secrets DIR     also write Kubernetes Secrets there, for --namespace N (default: sallyport)

Exit code 0 done, also where nothing was due, 1 refused or failed, 2 wrong arguments.

Examples:
  sallyport generate-certs renew server
  sallyport generate-certs renew --all --within 30d
  sallyport generate-certs renew client/etl --same-key --days 90
`;

const day = 86_400_000;

export const renewCommand: Command = {
  summary: 'make certificates anew',
  help,
  options: {
    ...placeOption,
    ...secretOptions,
    ...passwordOptions,
    all: { type: 'boolean' },
    within: { type: 'string' },
    'same-key': { type: 'boolean' },
    days: { type: 'string' },
  },
  run: (values, positionals, io) =>
    answering('generate-certs renew', io, async () => {
      const all = values['all'] === true;
      if (all === positionals.length > 0) throw new UsageError('name what to renew, or say --all');
      const { base, directory } = readPlace(values);
      const days = readDays(values, 'days', defaultLeaf, longestLeaf);
      const within =
        all || values['within'] !== undefined ? readWithin(values, 30) : Number.POSITIVE_INFINITY;
      const wish = await readPkcs12Wish(values);
      const secrets = readSecretsRequest(values);
      const now = Date.now();
      await withCa(directory, async (ca) => {
        const wanted = all ? renewable(ca.index) : positionals.map((name) => pick(ca.index, name));
        const due = [...new Set(wanted)].filter(({ notAfter }) => Date.parse(notAfter) - now < within * day);
        if (wish.wanted && due.some(({ kind }) => kind !== 'client'))
          throw new UsageError('--p12 is for clients');
        const orders: LeafOrder[] = [];
        for (const entry of due) {
          const sameKey = values['same-key'] === true ? await readKey(directory, entry) : undefined;
          orders.push(toOrder(entry, days, sameKey));
        }
        const leaves = await makeLeaves(ca, orders, { now, base, replace: true });
        const files = [];
        for (const leaf of wish.wanted ? leaves : []) files.push(await makePkcs12(base, leaf, wish, true));
        for (const [index, { entry }] of leaves.entries()) mustBeInPlace(directory, due[index]!, entry);
        await saveLeaves(
          ca,
          leaves,
          files.map(({ file }) => file),
        );
        for (const { path } of leaves.flatMap((leaf) => leaf.files)) io.stdout(`${path}\n`);
        for (const p12 of files) {
          io.stdout(`${p12.file.path}\n`);
          tellPassword(p12, io);
        }
        if (due.length === 0) io.stdout('nothing is due\n');
        await tellSecrets(directory, secrets, io);
      });
      return exitCodes.ok;
    }),
};

function renewable(index: CaIndex): readonly Issued[] {
  return currentOf(index).filter(
    ({ kind, revokedAt }) => (kind === 'server' || kind === 'client') && revokedAt === undefined,
  );
}

function pick(index: CaIndex, wanted: string): Issued {
  const found = currentOf(index).filter(
    ({ kind, name }) =>
      (kind === 'server' || kind === 'client') && (name === wanted || `${kind}/${name}` === wanted),
  );
  const [entry, other] = found;
  if (entry === undefined) throw new RefusedError(`there is no server or client ${JSON.stringify(wanted)}`);
  if (other !== undefined)
    throw new RefusedError(
      `${wanted} is two: say ${found.map(({ kind, name }) => `${kind}/${name}`).join(' or ')}`,
    );
  // Revoked for a reason: whoever wants it back says so by making it anew.
  if (entry.revokedAt !== undefined)
    throw new RefusedError(`${wanted} is revoked: make a new one with ${entry.kind} and --force`);
  return entry;
}

function toOrder(entry: Issued, days: number, sameKey: string | undefined): LeafOrder {
  const { kind, name, commonName, hosts, uris } = entry;
  return { kind: kind as 'server' | 'client', name, commonName, hosts, uris, days, sameKey };
}

async function readKey(directory: string, entry: Issued): Promise<string> {
  try {
    return await readFile(fileOf(directory, entry.key), 'utf8');
  } catch (error) {
    throw new RefusedError(`cannot keep the key of ${entry.name}: ${toMessage(error)}`);
  }
}

/** A certificate that was written to another folder is not replaced by one in this. */
function mustBeInPlace(directory: string, before: Issued, after: Issued): void {
  if (before.certificate === after.certificate) return;
  const folder = dirname(fileOf(directory, before.certificate));
  throw new RefusedError(
    `${before.kind}/${before.name} is in ${folder}, not in ${leafFolder('--out', before.kind as 'server' | 'client', before.name)}`,
  );
}
