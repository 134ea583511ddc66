import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandIo, type CommandValues, text } from '../command.ts';
import { type CaFolder, readCa } from './ca-folder.ts';
import type { PlannedFile } from './files.ts';
import type { IssuedLeaf } from './issue.ts';
import { leafFolder } from './issue.ts';
import { readNamespace, writeSecrets } from './k8s-secrets.ts';
import { encodePkcs12, generatePassword } from './pkcs12.ts';
import { RefusedError, toMessage, UsageError } from './problems.ts';

/** The folder of certificates, and the CA in it. */
export interface Place {
  readonly base: string;
  readonly directory: string;
}

export function readPlace(values: CommandValues): Place {
  const base = text(values, 'out') ?? 'certs';
  return { base, directory: join(base, 'ca') };
}

export const placeOption = { out: { type: 'string' } } as const;
export const secretOptions = { 'k8s-secrets': { type: 'string' }, namespace: { type: 'string' } } as const;
export const passwordOptions = { p12: { type: 'boolean' }, 'password-file': { type: 'string' } } as const;

/** Reads both options, so that a wrong one is told before anything is written. */
export function readSecretsRequest(values: CommandValues) {
  const folder = text(values, 'k8s-secrets');
  const namespace = readNamespace(text(values, 'namespace') ?? 'sallyport');
  if (folder === undefined && values['namespace'] !== undefined)
    throw new UsageError('--namespace belongs to --k8s-secrets');
  return folder === undefined ? undefined : { folder, namespace };
}

/** Writes the manifests, if they were asked for, and lists them. */
export async function tellSecrets(
  directory: string,
  request: ReturnType<typeof readSecretsRequest>,
  io: CommandIo,
): Promise<void> {
  if (request === undefined) return;
  const ca: CaFolder = await readCa(directory);
  for (const path of await writeSecrets(ca, request)) io.stdout(`${path}\n`);
}

export interface Pkcs12File {
  readonly file: PlannedFile;
  /** To be shown once; undefined where the operator gave one. */
  readonly generated: string | undefined;
}

export interface Pkcs12Wish {
  readonly wanted: boolean;
  readonly password: string | undefined;
}

export async function readPkcs12Wish(values: CommandValues): Promise<Pkcs12Wish> {
  const file = text(values, 'password-file');
  const wanted = values['p12'] === true;
  if (file === undefined) return { wanted, password: undefined };
  if (!wanted) throw new UsageError('--password-file belongs to --p12');
  const password = (
    await readFile(file, 'utf8').catch((error: unknown) => {
      throw new RefusedError(`cannot read the password: ${toMessage(error)}`);
    })
  )
    .split('\n')[0]!
    .replace(/\r$/, '');
  // 12, because the file can be copied and guessed at offline.
  if (password.length < 12) throw new RefusedError(`${file}: the password has fewer than 12 characters`);
  // Importers disagree about how other letters become bytes.
  if (!/^[ -~]+$/.test(password))
    throw new RefusedError(`${file}: only visible ASCII is the same password everywhere`);
  return { wanted, password };
}

/** The PKCS#12 file of a client, beside its other files. */
export async function makePkcs12(
  base: string,
  leaf: IssuedLeaf,
  wish: Pkcs12Wish,
  replace: boolean | undefined,
): Promise<Pkcs12File> {
  const password = wish.password ?? generatePassword();
  const { name } = leaf.order;
  const { certPem, chainPem, keyPem } = leaf;
  return {
    file: {
      path: join(leafFolder(base, 'client', name), `${name}.p12`),
      contents: await encodePkcs12({ certPem, chainPem, keyPem, friendlyName: name, password }),
      mode: 0o600,
      replace,
    },
    generated: wish.password === undefined ? password : undefined,
  };
}

export function tellPassword({ file, generated }: Pkcs12File, io: CommandIo): void {
  if (generated !== undefined) io.stdout(`password of ${file.path}, shown this once: ${generated}\n`);
}
