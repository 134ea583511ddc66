import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCertificateNames } from '../../identity/certificate-names.ts';
import { nextUpdateOf, readRevocations } from '../../listener/crl.ts';
import { authorityEntries, bundleFile, type CaFolder, fileOf, listFile } from './ca-folder.ts';
import { currentOf, type Issued } from './ca-index.ts';

const day = 86_400_000;

export type State = 'valid' | 'expiring' | 'expired' | 'not-yet-valid' | 'revoked' | 'superseded';

/** One certificate or revocation list, and how long it will do. */
export interface Standing {
  readonly kind: string;
  readonly name: string;
  readonly serial?: string;
  readonly names: readonly string[];
  readonly notBefore?: string;
  /** ISO 8601; of a list: when the next one is due. */
  readonly notAfter: string;
  /** Whole days; negative: expired. */
  readonly daysLeft: number;
  readonly state: State;
  readonly revokedAt?: string;
  readonly reason?: string;
  readonly file?: string;
}

export interface Clock {
  readonly now: number;
  /** Days. */
  readonly within: number;
}

/** Whether it needs somebody: expired, or about to. What was revoked or replaced needs nobody. */
export function needsCare({ state }: Standing): boolean {
  return state === 'expired' || state === 'expiring';
}

/** All that the CA has made, and its lists. */
export async function standingsOf(ca: CaFolder, clock: Clock): Promise<readonly Standing[]> {
  const current = new Set(currentOf(ca.index));
  const issued = ca.index.issued.map((entry) => standingOf(ca.directory, entry, current.has(entry), clock));
  const file = join(ca.directory, listFile);
  const lists = await readFile(file, 'utf8').catch(() => '');
  const names = authorityEntries(ca.index).map(({ name }) => name);
  return [...issued, ...readLists(lists, file, clock, names)];
}

export function standingOf(directory: string, entry: Issued, current: boolean, clock: Clock): Standing {
  const { kind, name, serial, notBefore, notAfter, revokedAt, reason } = entry;
  const state = revokedAt !== undefined ? 'revoked' : stateOf(notBefore, notAfter, clock);
  return {
    kind,
    name,
    serial,
    names: [
      ...entry.uris,
      ...entry.hosts,
      ...(entry.commonName === undefined ? [] : [`CN=${entry.commonName}`]),
    ],
    notBefore,
    notAfter,
    daysLeft: daysLeft(notAfter, clock),
    // An expired one that was replaced needs nobody either.
    state: !current && state !== 'revoked' ? 'superseded' : state,
    ...(revokedAt !== undefined && { revokedAt, reason: reason ?? 'unspecified' }),
    ...(current && {
      file:
        kind === 'root' && name === 'ca' ? join(directory, bundleFile) : fileOf(directory, entry.certificate),
    }),
  };
}

/** All certificates and lists in PEM in a file. */
export async function standingsInFile(file: string, clock: Clock): Promise<readonly Standing[]> {
  const text = await readFile(file, 'utf8');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const certificates = blocks.map((pem): Standing => {
    const certificate = new X509Certificate(pem);
    const names = readCertificateNames(certificate.raw);
    const [notBefore, notAfter] = [certificate.validFromDate, certificate.validToDate].map((date) =>
      date.toISOString(),
    ) as [string, string];
    return {
      kind: certificate.ca ? 'authority' : 'leaf',
      name: names?.commonName ?? '-',
      serial: certificate.serialNumber.toLowerCase(),
      names: names === undefined ? ['(names that cannot be trusted)'] : [...names.uris, ...names.dns],
      notBefore,
      notAfter,
      daysLeft: daysLeft(notAfter, clock),
      state: stateOf(notBefore, notAfter, clock),
      file,
    };
  });
  return [...certificates, ...readLists(text, file, clock, [])];
}

function readLists(
  text: string,
  file: string,
  clock: Clock,
  issuers: readonly string[],
): readonly Standing[] {
  const blocks = text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
  return blocks.flatMap((pem, index): readonly Standing[] => {
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
    const nextUpdate = nextUpdateOf(der);
    if (nextUpdate === undefined) return [];
    const notAfter = new Date(nextUpdate).toISOString();
    const revoked = [...readRevocations([der]).values()].reduce((sum, { size }) => sum + size, 0);
    return [
      {
        kind: 'list',
        name: issuers[index] ?? '-',
        names: [`${revoked} revoked`],
        notAfter,
        daysLeft: daysLeft(notAfter, clock),
        state: stateOf(undefined, notAfter, clock),
        file,
      },
    ];
  });
}

function stateOf(notBefore: string | undefined, notAfter: string, { now, within }: Clock): State {
  if (notBefore !== undefined && now < Date.parse(notBefore)) return 'not-yet-valid';
  const left = Date.parse(notAfter) - now;
  if (left <= 0) return 'expired';
  return left < within * day ? 'expiring' : 'valid';
}

function daysLeft(notAfter: string, { now }: Clock): number {
  return Math.floor((Date.parse(notAfter) - now) / day);
}
