import { type RevocationReason, revocationReasons } from '../certificates.ts';

export type IssuedKind = 'root' | 'intermediate' | 'server' | 'client';

/** One certificate that the CA made. */
export interface Issued {
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly kind: IssuedKind;
  readonly name: string;
  /** Serial of the certificate that signed it; its own for the root. */
  readonly issuer: string;
  readonly commonName?: string;
  readonly hosts: readonly string[];
  readonly uris: readonly string[];
  /** As in the certificate, ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Files, relative to the folder of the index. */
  readonly certificate: string;
  readonly key: string;
  readonly revokedAt?: string;
  readonly reason?: RevocationReason;
}

/** What the CA has made and revoked: the file `index.json` beside its certificate. */
export interface CaIndex {
  readonly version: 1;
  /** Number of the last list of each authority, by its serial. */
  readonly crlNumbers: Readonly<Record<string, number>>;
  /** How long a new list is valid, in days; null: as long as the CA. */
  readonly crlDays: number | null;
  /** In the order in which they were made. */
  readonly issued: readonly Issued[];
}

/** 100,000, because the file is written anew for each certificate: beyond that, a CA with a database should do this. */
export const maximumIssued = 100_000;

export function formatIndex(index: CaIndex): string {
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** @throws Error where the text is not an index, told by what is wrong with it */
export function parseIndex(text: string): CaIndex {
  const value: unknown = JSON.parse(text);
  const index = record(value, 'the index');
  if (index['version'] !== 1) throw new Error('not of version 1');
  const issued = index['issued'];
  if (!Array.isArray(issued) || issued.length > maximumIssued) throw new Error('`issued` is not a list');
  const crlDays = index['crlDays'];
  if (crlDays !== null && !isCount(crlDays)) throw new Error('`crlDays` is not a number');
  const crlNumbers = record(index['crlNumbers'], '`crlNumbers`');
  if (!Object.values(crlNumbers).every(isCount)) throw new Error('`crlNumbers` is not numbers');
  return {
    version: 1,
    crlDays: crlDays as number | null,
    crlNumbers: crlNumbers as Record<string, number>,
    issued: issued.map(readIssued),
  };
}

function readIssued(value: unknown, at: number): Issued {
  const entry = record(value, `issued[${at}]`);
  const fail = (member: string): never => {
    throw new Error(`issued[${at}].${member} is wrong`);
  };
  const string = (member: string, pattern: RegExp): string => {
    const found = entry[member];
    return typeof found === 'string' && pattern.test(found) ? found : fail(member);
  };
  const list = (member: string): readonly string[] => {
    const found = entry[member];
    return Array.isArray(found) && found.every((item) => typeof item === 'string') ? found : fail(member);
  };
  const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
  const revoked = entry['revokedAt'] !== undefined;
  return {
    serial: string('serial', /^[0-9a-f]{2,40}$/),
    kind: string('kind', /^(root|intermediate|server|client)$/) as IssuedKind,
    name: string('name', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    issuer: string('issuer', /^[0-9a-f]{2,40}$/),
    ...(entry['commonName'] !== undefined && { commonName: string('commonName', /^/) }),
    hosts: list('hosts'),
    uris: list('uris'),
    notBefore: string('notBefore', date),
    notAfter: string('notAfter', date),
    certificate: string('certificate', /./),
    key: string('key', /./),
    ...(revoked && {
      revokedAt: string('revokedAt', date),
      reason: string(
        'reason',
        new RegExp(`^(${Object.keys(revocationReasons).join('|')})$`),
      ) as RevocationReason,
    }),
  };
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The certificates that count: the newest of each kind and name. */
export function currentOf(index: CaIndex): readonly Issued[] {
  const newest = new Map<string, Issued>();
  for (const entry of index.issued) newest.set(`${entry.kind}/${entry.name.toLowerCase()}`, entry);
  return [...newest.values()];
}

/** Every certificate that a name, `kind/name`, or serial means. */
export function findIssued(index: CaIndex, wanted: string): readonly Issued[] {
  const bySerial = index.issued.filter(({ serial }) => serial === wanted.replaceAll(':', '').toLowerCase());
  if (bySerial.length > 0) return bySerial;
  return index.issued.filter(({ kind, name }) => name === wanted || `${kind}/${name}` === wanted);
}
