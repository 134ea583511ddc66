import { join } from 'node:path';
import { type Authority, createAuthority } from '../certificates.ts';
import { type Command, exitCodes, text } from '../command.ts';
import { readDays, readKeyKind, readPermitted } from './arguments.ts';
import { bundleFile, type CaFolder, indexFile, lockOf, saveCa, toIssued } from './ca-folder.ts';
import type { Issued } from './ca-index.ts';
import { exists, locked, makeFolder, type PlannedFile } from './files.ts';
import type { KeyKind } from './keys.ts';
import { clockDrift, makeLists } from './lists.ts';
import type { PermittedNames } from './name-constraints.ts';
import { answering, RefusedError, UsageError } from './problems.ts';
import { placeOption, readPlace, readSecretsRequest, secretOptions, tellSecrets } from './shared.ts';

const help = `Makes a private CA: its certificate, its key, an empty revocation list, and the index of what it issues.

Usage: sallyport generate-certs init [options]

  --out DIR         where to write (default: certs); the CA is in DIR/ca
  --name CN         name of the CA (default: Sallyport private CA)
  --days N          how long it is valid (default: 3650, at most 7300)
  --key KIND        ec-p256 (default), ec-p384, ed25519 or rsa-3072
  --intermediate    make a root and, below it, the CA that signs. Keep DIR/ca/root.key offline
  --permit-dns NAME     vouch only for NAME and names below it; repeatable
  --permit-uri HOST     vouch only for URIs of this host, such as a SPIFFE trust domain; .HOST: what is below; repeatable
  --permit-ip BLOCK     vouch only for addresses such as 10.0.0.0/8; repeatable. With any of the three, a kind of name
                        without one is not permitted at all
  --crl-days N      how long a revocation list is valid (default: 30, at most 7300)
  --k8s-secrets DIR     also write Kubernetes Secrets there, for --namespace N (default: sallyport)
  --force           replace a CA that is there: nothing that it signed is trusted any more

Exit code 0 done, 1 refused or failed, 2 wrong arguments.

Examples:
  sallyport generate-certs init
  sallyport generate-certs init --name 'Acme agents' --permit-uri acme.example --permit-dns acme.example
  sallyport generate-certs init --intermediate --key ec-p384 --crl-days 14
`;

const day = 86_400_000;

export interface CaOrder {
  readonly name: string;
  readonly now: number;
  readonly days: number;
  readonly key: KeyKind;
  readonly permitted: PermittedNames | undefined;
  readonly intermediate: boolean;
  /** Null: as long as the CA. */
  readonly crlDays: number | null;
}

export interface NewCa {
  readonly ca: CaFolder;
  /** Signs the leaves. */
  readonly signer: Authority;
  readonly files: readonly PlannedFile[];
}

/** Makes a CA in memory, with its files planned. */
export async function makeCa(directory: string, order: CaOrder, replace = false): Promise<NewCa> {
  const dates = {
    notBefore: new Date(order.now - clockDrift),
    notAfter: new Date(order.now + order.days * day),
  };
  const { key, permitted, intermediate: above } = order;
  const root = await createAuthority({ commonName: order.name, ...dates, key, permitted, above });
  const below = above
    ? await root.issueAuthority({ commonName: `${order.name}, intermediate`, ...dates, key, permitted })
    : undefined;
  const authorities = [root, ...(below === undefined ? [] : [below])];
  const files: PlannedFile[] = [];
  const issued: Issued[] = authorities.map((authority, index) => {
    const kind = index === 0 ? ('root' as const) : ('intermediate' as const);
    const stem = above ? kind : 'ca';
    const [certificate, file] = [join(directory, `${stem}.crt`), join(directory, `${stem}.key`)];
    if (above) files.push({ path: certificate, contents: authority.certPem, mode: 0o644, replace });
    files.push({ path: file, contents: authority.keyPem, mode: 0o600, replace });
    const name = above ? kind : 'ca';
    const { certPem } = authority;
    return toIssued(directory, { kind, name, certPem, issuer: root.serial, certificate, key: file });
  });
  const bundle = authorities.map(({ certPem }) => certPem).join('');
  files.unshift({ path: join(directory, bundleFile), contents: bundle, mode: 0o644, replace });
  const index = { version: 1, crlNumbers: {}, crlDays: order.crlDays, issued } as const;
  const lists = await makeLists({ directory, index }, { now: order.now, fresh: authorities });
  return {
    ca: { directory, index: lists.index },
    signer: below ?? root,
    files: [...files, { ...lists.file, replace }],
  };
}

export const initCommand: Command = {
  summary: 'make a private CA',
  help,
  options: {
    ...placeOption,
    ...secretOptions,
    name: { type: 'string' },
    days: { type: 'string' },
    key: { type: 'string' },
    intermediate: { type: 'boolean' },
    'permit-dns': { type: 'string', multiple: true },
    'permit-uri': { type: 'string', multiple: true },
    'permit-ip': { type: 'string', multiple: true },
    'crl-days': { type: 'string' },
    force: { type: 'boolean' },
  },
  run: (values, positionals, io) =>
    answering('generate-certs init', io, async () => {
      if (positionals.length > 0) throw new UsageError(`unexpected argument: ${positionals.join(' ')}`);
      const { directory } = readPlace(values);
      const name = text(values, 'name') ?? 'Sallyport private CA';
      if (!/^[^\p{C}]{1,50}$/u.test(name))
        throw new UsageError('--name: 1 to 50 characters that can be seen');
      const order: CaOrder = {
        name,
        now: Date.now(),
        days: readDays(values, 'days', 3650, 7300),
        key: readKeyKind(values),
        permitted: readPermitted(values),
        intermediate: values['intermediate'] === true,
        crlDays: readDays(values, 'crl-days', 30, 7300),
      };
      const force = values['force'] === true;
      const secrets = readSecretsRequest(values);
      await makeFolder(directory);
      await locked(lockOf(directory), async () => {
        // Also where the new CA has other file names: two CAs in one folder would be taken for one another.
        if (!force && (await exists(join(directory, bundleFile))))
          throw new RefusedError(
            `there is a CA in ${directory}; --force replaces it, and all that it signed is lost`,
          );
        const made = await makeCa(directory, order, force);
        await saveCa(made.ca, made.ca.index, made.files, !force);
        for (const { path } of made.files) io.stdout(`${path}\n`);
        io.stdout(`${join(directory, indexFile)}\n`);
        await tellSecrets(directory, secrets, io);
      });
      if (order.intermediate) io.stdout(`Move ${join(directory, 'root.key')} to a place that is offline.\n`);
      return exitCodes.ok;
    }),
};
