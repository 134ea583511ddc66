import { join } from 'node:path';
import type { LeafRequest } from '../certificates.ts';
import { type CaFolder, chainOf, openAuthority, saveCa, signerEntry, toIssued } from './ca-folder.ts';
import type { CaIndex, Issued } from './ca-index.ts';
import type { PlannedFile } from './files.ts';
import type { KeyKind } from './keys.ts';
import { clockDrift } from './lists.ts';
import { RefusedError } from './problems.ts';

const day = 86_400_000;

export interface LeafOrder {
  readonly kind: 'server' | 'client';
  readonly name: string;
  readonly commonName?: string | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly days: number;
  readonly key?: KeyKind | undefined;
  /** PKCS#8 of a key to use again. */
  readonly sameKey?: string | undefined;
}

export interface IssuedLeaf {
  readonly order: LeafOrder;
  readonly entry: Issued;
  readonly certPem: string;
  readonly chainPem: string;
  readonly keyPem: string;
  readonly files: readonly PlannedFile[];
}

/** Where the files of a leaf are. The server that needs no name of its own has a folder without one. */
export function leafFolder(base: string, kind: 'server' | 'client', name: string): string {
  if (kind === 'client') return join(base, 'clients', name);
  return name === 'server' ? join(base, 'server') : join(base, 'servers', name);
}

/**
 * Makes leaves, each for exactly one purpose. Nothing is written.
 *
 * @throws RangeError where a name is outside of what the CA may vouch for
 */
export async function makeLeaves(
  ca: CaFolder,
  orders: readonly LeafOrder[],
  options: {
    readonly now: number;
    readonly base: string;
    readonly replace?: boolean | undefined;
    readonly signer?: Awaited<ReturnType<typeof openAuthority>> | undefined;
  },
): Promise<readonly IssuedLeaf[]> {
  if (orders.length === 0) return [];
  for (const { kind, name } of orders) refuseLookAlike(ca.index, kind, name);
  const signing = signerEntry(ca.index);
  const signer = options.signer ?? (await openAuthority(ca.directory, signing));
  const chainPem =
    options.signer === undefined
      ? await chainOf(ca.directory, ca.index)
      : signing.kind === 'root'
        ? ''
        : signer.certPem;
  const made: IssuedLeaf[] = [];
  for (const order of orders) {
    const request: LeafRequest = {
      commonName: order.commonName,
      hosts: order.hosts,
      uris: order.uris,
      usages: [order.kind === 'server' ? 'serverAuth' : 'clientAuth'],
      notBefore: new Date(options.now - clockDrift),
      notAfter: new Date(options.now + order.days * day),
      key: order.key,
      sameKey: order.sameKey,
    };
    const { certPem, keyPem } = await signer.issue(request);
    const folder = leafFolder(options.base, order.kind, order.name);
    const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const about = { kind: order.kind, name: order.name, issuer: signing.serial, certificate, key };
    const { replace } = options;
    made.push({
      order,
      entry: toIssued(ca.directory, { ...about, certPem }),
      certPem,
      chainPem,
      keyPem,
      files: [
        { path: certificate, contents: certPem + chainPem, mode: 0o644, replace },
        { path: key, contents: keyPem, mode: 0o600, replace },
      ],
    });
  }
  return made;
}

/**
 * Some file systems take `Bob` and `bob` for one folder, and the index for one client: the older one would no longer be
 * shown, and never be renewed.
 */
function refuseLookAlike(index: CaIndex, kind: string, name: string): void {
  const other = index.issued.find(
    (entry) => entry.kind === kind && entry.name !== name && entry.name.toLowerCase() === name.toLowerCase(),
  );
  if (other !== undefined)
    throw new RefusedError(`there is a ${kind} ${other.name} already: ${name} differs by its capitals only`);
}

/** Writes leaves and remembers them. @returns the index as it now stands */
export async function saveLeaves(
  ca: CaFolder,
  leaves: readonly IssuedLeaf[],
  more: readonly PlannedFile[] = [],
): Promise<CaIndex> {
  const index = { ...ca.index, issued: [...ca.index.issued, ...leaves.map(({ entry }) => entry)] };
  await saveCa(ca, index, [...leaves.flatMap(({ files }) => files), ...more]);
  return index;
}
