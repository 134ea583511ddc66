import { type DerElement, derTag, expectDer, readDer, readOneDer } from '../identity/der.ts';

/** What certificate revocation lists say: issuer -> serials. Keys are hexadecimal DER, so that nothing is re-spelt. */
export type Revocations = ReadonlyMap<string, ReadonlySet<string>>;

/** A certificate as revocation lists name it. */
export interface CertificateNumber {
  /** DER of the issuer's name, hexadecimal. */
  readonly issuer: string;
  /** Contents of the serial's INTEGER, hexadecimal. */
  readonly serial: string;
}

/** One million entries, because that is some 40 MiB of file: beyond it, something else should answer for revocation. */
const maximumEntries = 1_000_000;

/**
 * Reads which certificates the lists revoke (RFC 5280, section 5.1). Signatures and dates are not looked at: OpenSSL does
 * that in each handshake. This is for connections whose handshake is over when the list changes.
 *
 * @param lists DER, one list each
 * @throws DerError
 */
export function readRevocations(lists: readonly Buffer[]): Revocations {
  const revocations = new Map<string, Set<string>>();
  for (const list of lists) {
    const fields = readDer(expectDer(readDer(readOneDer(list, derTag.sequence), 3)[0], derTag.sequence), 16);
    // version is optional, then algorithm, issuer, thisUpdate, perhaps nextUpdate, perhaps the entries.
    const offset = fields[0]?.tag === derTag.integer ? 1 : 0;
    const issuer = expectDer(fields[offset + 1], derTag.sequence).toString('hex');
    const serials = revocations.get(issuer) ?? new Set<string>();
    revocations.set(issuer, serials);
    const entries = fields.slice(offset + 3).find(({ tag }) => tag === derTag.sequence);
    if (entries === undefined) continue;
    for (const entry of readDer(entries.contents, maximumEntries)) {
      const serial = readDer(expectDer(entry, derTag.sequence), 3)[0];
      serials.add(expectDer(serial, derTag.integer).toString('hex'));
    }
  }
  return revocations;
}

/**
 * When a list is superseded at the latest (RFC 5280, section 5.1.2.5): after that, OpenSSL refuses every certificate of
 * its issuer.
 *
 * @param list DER
 * @returns milliseconds since the epoch; undefined where the list names no such time
 * @throws DerError
 */
export function nextUpdateOf(list: Buffer): number | undefined {
  const fields = readDer(expectDer(readDer(readOneDer(list, derTag.sequence), 3)[0], derTag.sequence), 16);
  const offset = fields[0]?.tag === derTag.integer ? 1 : 0;
  const field = fields[offset + 3];
  return field === undefined ? undefined : readTime(field);
}

/** UTCTime and GeneralizedTime in the one form of each that certificates may have (RFC 5280, section 4.1.2.5). */
function readTime({ tag, contents }: DerElement): number | undefined {
  const text = contents.toString('latin1');
  const match =
    tag === 0x17 ? /^(\d{2})(\d{10})Z$/.exec(text) : tag === 0x18 ? /^(\d{4})(\d{10})Z$/.exec(text) : null;
  if (match === null) return undefined;
  const [, year, rest] = match as unknown as readonly [string, string, string];
  const full = year.length === 4 ? year : Number(year) >= 50 ? `19${year}` : `20${year}`;
  const [month, date, hour, minute, second] = rest.match(/../g)!;
  const time = Date.parse(`${full}-${month}-${date}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** @param certificate DER @throws DerError */
export function certificateNumber(certificate: Buffer): CertificateNumber {
  const { fields, offset } = readCertificate(certificate);
  return {
    serial: expectDer(fields[offset], derTag.integer).toString('hex'),
    issuer: expectDer(fields[offset + 2], derTag.sequence).toString('hex'),
  };
}

/** DER of the subject's name, hexadecimal. @param certificate DER @throws DerError */
export function subjectOf(certificate: Buffer): string {
  const { fields, offset } = readCertificate(certificate);
  return expectDer(fields[offset + 4], derTag.sequence).toString('hex');
}

function readCertificate(certificate: Buffer) {
  const fields = readDer(expectDer(readDer(readOneDer(certificate, derTag.sequence))[0], derTag.sequence));
  return { fields, offset: fields[0]?.tag === 0xa0 ? 1 : 0 };
}

export function isRevoked(certificate: CertificateNumber, revocations: Revocations): boolean {
  return revocations.get(certificate.issuer)?.has(certificate.serial) ?? false;
}
