import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRevocations, subjectOf } from '../../listener/crl.ts';
import type { Authority } from '../certificates.ts';
import { authorityEntries, type CaFolder, fileOf, listFile, openAuthority } from './ca-folder.ts';
import type { CaIndex, Issued } from './ca-index.ts';
import { exists, type PlannedFile } from './files.ts';
import { RefusedError } from './problems.ts';

const day = 86_400_000;

/** Five minutes, because clocks of containers and laptops drift, and what is from the future is refused. */
export const clockDrift = 300_000;

/** 365, because the key of a root above an intermediate is offline, and a list from it needs somebody to fetch the key. */
export const rootListDays = 365;

export interface ListsRequest {
  readonly now: number;
  /** Default: what the index says. */
  readonly days?: number | undefined;
  /** Where the root's key is, if not in the folder. */
  readonly rootKey?: string | undefined;
  /** Authorities just made, by serial: they are in no file yet. */
  readonly fresh?: readonly Authority[] | undefined;
}

export interface Lists {
  readonly index: CaIndex;
  readonly file: PlannedFile;
  /** Authorities whose key is not here, so that their last list was kept. */
  readonly kept: readonly Issued[];
}

/**
 * Makes the revocation list of every authority of the chain: a gateway that knows one list refuses the clients of each
 * authority that has none. An authority whose key is not here keeps its last list.
 */
export async function makeLists(ca: CaFolder, request: ListsRequest): Promise<Lists> {
  const { directory, index } = ca;
  const authorities = authorityEntries(index);
  const crlNumbers: Record<string, number> = { ...index.crlNumbers };
  const texts: string[] = [];
  const kept: Issued[] = [];
  for (const entry of authorities) {
    const authority = await authorityOf(ca, entry, request);
    if (authority === undefined) {
      texts.push(await lastList(directory, entry));
      kept.push(entry);
      continue;
    }
    const number = (crlNumbers[entry.serial] ?? 0) + 1;
    crlNumbers[entry.serial] = number;
    const offline = entry.kind === 'root' && authorities.length > 1;
    const days = request.days ?? index.crlDays;
    const wanted =
      days === null ? Infinity : request.now + (offline ? Math.max(days, rootListDays) : days) * day;
    texts.push(
      await authority.crl({
        number,
        thisUpdate: new Date(request.now - clockDrift),
        nextUpdate: new Date(Math.min(wanted, authority.notAfter.getTime())),
        revoked: revokedBy(index, entry, request.now),
      }),
    );
  }
  const path = join(directory, listFile);
  return {
    index: { ...index, crlNumbers },
    file: { path, contents: texts.join(''), mode: 0o644, replace: true },
    kept,
  };
}

/** An expired certificate is refused by its date, and leaves the list (RFC 5280, section 3.3). */
function revokedBy(index: CaIndex, { serial }: Issued, now: number) {
  return index.issued
    .filter((entry) => entry.issuer === serial && entry.revokedAt !== undefined)
    .filter(({ notAfter }) => Date.parse(notAfter) + day > now)
    .map((entry) => ({
      serial: entry.serial,
      at: new Date(entry.revokedAt!),
      reason: entry.reason ?? 'unspecified',
    }));
}

async function authorityOf(
  { directory }: CaFolder,
  entry: Issued,
  request: ListsRequest,
): Promise<Authority | undefined> {
  const fresh = request.fresh?.find(({ serial }) => serial === entry.serial);
  if (fresh !== undefined) return fresh;
  if (entry.kind === 'root' && request.rootKey !== undefined)
    return openAuthority(directory, entry, request.rootKey);
  if (!(await exists(fileOf(directory, entry.key)))) return undefined;
  return openAuthority(directory, entry);
}

async function lastList(directory: string, entry: Issued): Promise<string> {
  const subject = subjectOf(
    new X509Certificate(await readFile(fileOf(directory, entry.certificate), 'utf8')).raw,
  );
  const text = await readFile(join(directory, listFile), 'utf8').catch(() => '');
  const blocks = text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
  const last = blocks.find((pem) =>
    readRevocations([Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')]).has(subject),
  );
  if (last === undefined)
    throw new RefusedError(
      `the key of ${entry.name} is not in ${directory}, and there is no list of it to keep: name the key with --root-key`,
    );
  return `${last}\n`;
}
