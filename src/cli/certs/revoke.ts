import { type RevocationReason, revocationReasons } from '../certificates.ts';
import { type Command, type CommandIo, type CommandValues, exitCodes, text } from '../command.ts';
import { readDays } from './arguments.ts';
import { type CaFolder, saveCa, withCa } from './ca-folder.ts';
import { type CaIndex, findIssued, type Issued } from './ca-index.ts';
import { makeLists } from './lists.ts';
import { answering, RefusedError, UsageError } from './problems.ts';
import { placeOption, readPlace, readSecretsRequest, secretOptions, tellSecrets } from './shared.ts';

const shared = `  --out DIR         the folder of init (default: certs)
  --days N          how long the new list is valid (default: as init was told, at most 7300). When it has expired, a
                    gateway refuses every client
  --root-key FILE   key of the root, where an intermediate signs and the root's key is offline
  --k8s-secrets DIR     also write Kubernetes Secrets there, for --namespace N (default: sallyport)

Exit code 0 done, 1 refused or failed, 2 wrong arguments.
`;

const revokeHelp = `Revokes certificates and writes the list anew. A gateway that watches the list cuts their connections.

Usage: sallyport generate-certs revoke NAME|SERIAL... [options]

  NAME...           every certificate of this server or client: NAME, server/NAME or client/NAME; or intermediate
  SERIAL...         the one certificate with this serial, hexadecimal
  --reason WORD     ${Object.keys(revocationReasons).join(', ')}
                    (default: unspecified)
${shared}
Examples:
  sallyport generate-certs revoke etl
  sallyport generate-certs revoke client/ann --reason keyCompromise
  sallyport generate-certs revoke 4f0c2d8e9a7b6c5d4e3f2a1b0c9d8e7f --reason superseded
`;

const crlHelp = `Writes the revocation list anew: DIR/ca/ca.crl, with the list of each CA of the chain.

Usage: sallyport generate-certs crl [options]

${shared}
Examples:
  sallyport generate-certs crl
  sallyport generate-certs crl --days 7
  sallyport generate-certs crl --root-key /media/offline/root.key
`;

const listOptions = {
  ...placeOption,
  ...secretOptions,
  days: { type: 'string' },
  'root-key': { type: 'string' },
} as const;

export const revokeCommand: Command = {
  summary: 'revoke certificates',
  help: revokeHelp,
  options: { ...listOptions, reason: { type: 'string' } },
  run: (values, positionals, io) =>
    answering('generate-certs revoke', io, async () => {
      if (positionals.length === 0) throw new UsageError('name what to revoke');
      const reason = readReason(text(values, 'reason') ?? 'unspecified');
      const now = Date.now();
      return writeLists(values, io, now, (ca) => {
        const serials = new Set(positionals.flatMap((wanted) => find(ca.index, wanted, now)));
        return revoke(ca.index, serials, reason, now);
      });
    }),
};

export const crlCommand: Command = {
  summary: 'write the revocation list anew',
  help: crlHelp,
  options: listOptions,
  run: (values, positionals, io) =>
    answering('generate-certs crl', io, async () => {
      if (positionals.length > 0) throw new UsageError(`unexpected argument: ${positionals.join(' ')}`);
      return writeLists(values, io, Date.now(), (ca) => ca.index);
    }),
};

async function writeLists(
  values: CommandValues,
  io: CommandIo,
  now: number,
  change: (ca: CaFolder) => CaIndex,
): Promise<number> {
  const { directory } = readPlace(values);
  const days = values['days'] === undefined ? undefined : readDays(values, 'days', 30, 7300);
  const secrets = readSecretsRequest(values);
  const rootKey = text(values, 'root-key');
  await withCa(directory, async (ca) => {
    const index = change(ca);
    const lists = await makeLists({ directory, index }, { now, days, rootKey });
    const issuers = new Set(newlyRevoked(ca.index, index).map(({ issuer }) => issuer));
    const silent = lists.kept.filter(({ serial }) => issuers.has(serial));
    if (silent.length > 0)
      throw new RefusedError(
        `the list of ${silent[0]!.name} must change, and its key is not here: --root-key FILE`,
      );
    await saveCa(ca, lists.index, [lists.file]);
    for (const { kind, name, serial } of newlyRevoked(ca.index, index))
      io.stdout(`revoked ${kind}/${name} ${serial}\n`);
    io.stdout(`${lists.file.path}\n`);
    for (const { name } of lists.kept) io.stderr(`the list of ${name} was kept: its key is not here\n`);
    await tellSecrets(directory, secrets, io);
  });
  return exitCodes.ok;
}

function newlyRevoked(before: CaIndex, after: CaIndex): readonly Issued[] {
  return after.issued.filter(
    ({ revokedAt }, at) => revokedAt !== undefined && before.issued[at]?.revokedAt === undefined,
  );
}

function readReason(given: string): RevocationReason {
  if (Object.hasOwn(revocationReasons, given)) return given as RevocationReason;
  throw new UsageError(`--reason: one of ${Object.keys(revocationReasons).join(', ')}`);
}

/** Serials of what a name means that is neither revoked nor expired. */
function find(index: CaIndex, wanted: string, now: number): readonly string[] {
  const found = findIssued(index, wanted);
  if (found.length === 0) throw new RefusedError(`there is no certificate ${JSON.stringify(wanted)}`);
  if (new Set(found.map(({ kind }) => kind)).size > 1)
    throw new RefusedError(`${wanted} is a server and a client: say server/${wanted} or client/${wanted}`);
  // A list of the root that revokes the root is no list: whoever trusts the root must stop trusting it.
  if (found.some(({ kind }) => kind === 'root'))
    throw new RefusedError('a root cannot be revoked: take it out of the CA files of the gateway');
  const open = found.filter((entry) => isOpen(entry, now));
  if (open.length === 0) throw new RefusedError(`${wanted} is revoked or expired already`);
  return open.map(({ serial }) => serial);
}

function isOpen({ revokedAt, notAfter }: Issued, now: number): boolean {
  return revokedAt === undefined && Date.parse(notAfter) >= now;
}

function revoke(
  index: CaIndex,
  serials: ReadonlySet<string>,
  reason: RevocationReason,
  now: number,
): CaIndex {
  const revokedAt = new Date(now).toISOString();
  const issued = index.issued.map((entry) =>
    serials.has(entry.serial) ? { ...entry, revokedAt, reason } : entry,
  );
  return { ...index, issued };
}
