import { X509Certificate } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readCertificateNames } from '../../identity/certificate-names.ts';
import { type Authority, loadAuthority } from '../certificates.ts';
import {
  type CaIndex,
  currentOf,
  formatIndex,
  type Issued,
  type IssuedKind,
  maximumIssued,
  parseIndex,
} from './ca-index.ts';
import { exists, locked, type PlannedFile, refuseExisting, writeAll, writeWhole } from './files.ts';
import { RefusedError, toMessage } from './problems.ts';

export const indexFile = 'index.json';
export const bundleFile = 'ca.crt';
export const listFile = 'ca.crl';

/** The folder of a CA, read. Files that entries name are relative to it. */
export interface CaFolder {
  readonly directory: string;
  readonly index: CaIndex;
}

/** Reads the folder of a CA, holding it against others until the work is done. */
export function withCa<T>(directory: string, work: (ca: CaFolder) => Promise<T>): Promise<T> {
  return locked(lockOf(directory), async () => work(await readCa(directory)));
}

export function lockOf(directory: string): string {
  return join(directory, 'index.lock');
}

/** Reads the folder of a CA. One that was made before there was an index gets one. */
export async function readCa(directory: string): Promise<CaFolder> {
  const file = join(directory, indexFile);
  if (!(await exists(file))) return { directory, index: await adopt(directory) };
  try {
    return { directory, index: parseIndex(await readFile(file, 'utf8')) };
  } catch (error) {
    throw new RefusedError(`${file}: ${toMessage(error)}`);
  }
}

/**
 * Writes the index and then the files that it tells of. In this order, because a certificate that exists and is in no
 * index cannot be revoked by its name; an entry without a file harms nobody.
 */
export async function saveCa(
  { directory }: CaFolder,
  index: CaIndex,
  files: readonly PlannedFile[],
  fresh = false,
): Promise<void> {
  if (index.issued.length > maximumIssued)
    throw new RefusedError(`the index holds ${maximumIssued} certificates: no more fit`);
  const file = join(directory, indexFile);
  await refuseExisting([...files, ...(fresh ? [{ path: file, contents: '', mode: 0o600 }] : [])]);
  const before = (await exists(file)) ? await readFile(file, 'utf8') : undefined;
  try {
    await writeWhole(file, formatIndex(index), 0o600);
  } catch (error) {
    throw new RefusedError(`cannot write: ${toMessage(error)}`);
  }
  try {
    await writeAll(files);
  } catch (error) {
    if (before === undefined) {
      await rm(file, { force: true });
    } else {
      await writeWhole(file, before, 0o600);
    }
    throw error;
  }
}

/** The path of a file that an entry names. */
export function fileOf(directory: string, file: string): string {
  return join(directory, file);
}

/** The certificate that signs leaves: the intermediate where there is one. */
export function signerEntry(index: CaIndex): Issued {
  const authorities = currentOf(index).filter(({ revokedAt }) => revokedAt === undefined);
  const signer =
    authorities.find(({ kind }) => kind === 'intermediate') ??
    authorities.find(({ kind }) => kind === 'root');
  if (signer === undefined) throw new RefusedError('the CA has no certificate that may sign');
  if (signer.kind === 'root' && index.issued.some(({ kind }) => kind === 'intermediate'))
    throw new RefusedError('the intermediate is revoked: make a new CA with init');
  return signer;
}

export function authorityEntries(index: CaIndex): readonly Issued[] {
  return currentOf(index).filter(({ kind }) => kind === 'root' || kind === 'intermediate');
}

/** @param keyFile where the key is, if not where the index says: a root's key that is kept elsewhere */
export async function openAuthority(
  directory: string,
  entry: Issued,
  keyFile = fileOf(directory, entry.key),
): Promise<Authority> {
  try {
    return await loadAuthority({
      certPem: await readFile(fileOf(directory, entry.certificate), 'utf8'),
      keyPem: await readFile(keyFile, 'utf8'),
    });
  } catch (error) {
    throw new RefusedError(`cannot use the CA in ${directory}: ${toMessage(error)}`);
  }
}

/** What a leaf's file holds beside the leaf: the intermediate, so that whoever knows the root alone can follow. */
export async function chainOf(directory: string, index: CaIndex): Promise<string> {
  const signer = signerEntry(index);
  return signer.kind === 'root' ? '' : readFile(fileOf(directory, signer.certificate), 'utf8');
}

/** An entry for a certificate that was made. */
export function toIssued(
  directory: string,
  about: {
    readonly kind: IssuedKind;
    readonly name: string;
    readonly certPem: string;
    readonly issuer: string;
    readonly certificate: string;
    readonly key: string;
  },
): Issued {
  const certificate = new X509Certificate(about.certPem);
  const names = readCertificateNames(certificate.raw);
  return {
    serial: certificate.serialNumber.toLowerCase(),
    kind: about.kind,
    name: about.name,
    issuer: about.issuer,
    ...(names?.commonName !== undefined && { commonName: names.commonName }),
    hosts: [...(names?.dns ?? []), ...addressesOf(certificate)],
    uris: [...(names?.uris ?? [])],
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
    certificate: relative(directory, about.certificate),
    key: relative(directory, about.key),
  };
}

/** Addresses as node:crypto shows them; only ever of certificates that this CA made. */
function addressesOf(certificate: X509Certificate): readonly string[] {
  const shown = certificate.subjectAltName ?? '';
  return [...shown.matchAll(/(?:^|, )IP Address:([0-9A-Fa-f:.]+)/g)].map(([, text]) => {
    const address = text!.toLowerCase();
    return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  });
}

async function adopt(directory: string): Promise<CaIndex> {
  const pair = { certificate: join(directory, bundleFile), key: join(directory, 'ca.key') };
  let authority: Authority;
  try {
    authority = await loadAuthority({
      certPem: await readFile(pair.certificate, 'utf8'),
      keyPem: await readFile(pair.key, 'utf8'),
    });
  } catch (error) {
    throw new RefusedError(`cannot use the CA in ${directory}: ${toMessage(error)}`);
  }
  const base = { name: 'ca', certPem: authority.certPem, issuer: authority.serial, ...pair };
  const root = toIssued(directory, { kind: 'root', ...base });
  return {
    version: 1,
    // One list was made when the CA was.
    crlNumbers: { [authority.serial]: 1 },
    crlDays: null,
    issued: [root, ...(await adoptLeaves(directory, authority))],
  };
}

async function adoptLeaves(directory: string, authority: Authority): Promise<readonly Issued[]> {
  const base = join(directory, '..');
  const clients = await readdir(join(base, 'clients')).catch(() => []);
  const places = [
    { kind: 'server', name: 'server', folder: join(base, 'server') },
    ...clients
      .filter((name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
      .map((name) => ({ kind: 'client', name, folder: join(base, 'clients', name) }) as const),
  ] as const;
  const found: Issued[] = [];
  const issuer = new X509Certificate(authority.certPem);
  for (const { kind, name, folder } of places) {
    const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const certPem = await readFile(certificate, 'utf8').catch(() => undefined);
    if (certPem === undefined) continue;
    try {
      if (!new X509Certificate(certPem).verify(issuer.publicKey)) continue;
    } catch {
      // Not a certificate: not one that this CA made.
      continue;
    }
    found.push(toIssued(directory, { kind, name, certPem, issuer: authority.serial, certificate, key }));
  }
  return found;
}
