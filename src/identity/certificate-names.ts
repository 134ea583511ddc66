import { type DerElement, DerError, derTag, expectDer, readDer, readOneDer } from './der.ts';

/** What a certificate says about its holder, each name by itself. */
export interface CertificateNames {
  /** Undefined where the subject has none, or several. */
  readonly commonName: string | undefined;
  readonly uris: readonly string[];
  /** Lower case. */
  readonly dns: readonly string[];
  /** Whether it may sign certificates or CRLs (basicConstraints or keyUsage). */
  readonly signsCertificates: boolean;
  /**
   * Whether it may authenticate a TLS client: by extended key usage `clientAuth` (or any, or none at all), and by key usage
   * `digitalSignature` (or none at all).
   */
  readonly authenticatesClients: boolean;
}

const oid = {
  commonName: '550403',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  extendedKeyUsage: '551d25',
  anyExtendedKeyUsage: '551d2500',
  clientAuth: '2b06010505070302',
} as const;

const sanTag = { dns: 0x82, uri: 0x86 } as const;

/** 64 names of a kind, because a certificate with more is not a workload's; bounds what policy has to match. */
const maximumNames = 64;

/**
 * Reads the names of a certificate from its DER (RFC 5280, sections 4.1 and 4.2.1.6).
 *
 * Never from OpenSSL's one-line text (`subjectAltName` of node:crypto): a URI may hold `, URI:spiffe://…` and a
 * comma-joined text then shows a name that the CA never signed (CVE-2021-44532). A name with a control character, NUL,
 * or a character outside its string type fails the whole certificate: dropping it would hide what was attempted.
 *
 * @param raw DER of a certificate whose signature has been verified
 * @returns undefined where the certificate is not exact DER, repeats an extension, or has a name that cannot be trusted
 */
export function readCertificateNames(raw: Buffer): CertificateNames | undefined {
  try {
    return readNames(raw);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function readNames(raw: Buffer): CertificateNames {
  const certificate = readDer(readOneDer(raw, derTag.sequence));
  const fields = readDer(expectDer(certificate[0], derTag.sequence));
  // [0] version, serial, signature, issuer, validity, subject, key, then [1], [2] and [3] where present. Version 1 has no [0].
  const offset = fields[0]?.tag === 0xa0 ? 1 : 0;
  const subject = expectDer(fields[offset + 4], derTag.sequence);
  const extensions = readExtensions(fields.slice(offset + 6).find(({ tag }) => tag === 0xa3));
  const names = readSubjectAltName(extensions.get(oid.subjectAltName));
  return {
    commonName: readCommonName(subject),
    ...names,
    signsCertificates:
      isAuthority(extensions.get(oid.basicConstraints)) || mayCertify(extensions.get(oid.keyUsage)),
    authenticatesClients:
      mayAuthenticate(extensions.get(oid.extendedKeyUsage)) && mayProve(extensions.get(oid.keyUsage)),
  };
}

function readExtensions(element: DerElement | undefined): ReadonlyMap<string, Buffer> {
  const extensions = new Map<string, Buffer>();
  if (element === undefined) return extensions;
  for (const item of readDer(readOneDer(element.contents, derTag.sequence))) {
    const parts = readDer(expectDer(item, derTag.sequence));
    const name = expectDer(parts[0], derTag.oid).toString('hex');
    // Two readers could each believe another one of them.
    if (extensions.has(name)) throw new DerError('An extension is repeated');
    extensions.set(name, expectDer(parts.at(-1), derTag.octetString));
  }
  return extensions;
}

function readSubjectAltName(value: Buffer | undefined): { uris: readonly string[]; dns: readonly string[] } {
  const uris: string[] = [];
  const dns: string[] = [];
  if (value === undefined) return { uris, dns };
  for (const { tag, contents } of readDer(readOneDer(value, derTag.sequence))) {
    if (tag === sanTag.uri) uris.push(readVisibleAscii(contents));
    if (tag === sanTag.dns) dns.push(readVisibleAscii(contents).toLowerCase());
  }
  if (uris.length > maximumNames || dns.length > maximumNames) throw new DerError('Too many names');
  return { uris, dns };
}

function readVisibleAscii(contents: Buffer): string {
  if (contents.length === 0 || contents.length > 2048) throw new DerError('A name is empty or too long');
  for (const byte of contents) {
    if (byte < 0x21 || byte > 0x7e) throw new DerError('A name has a character that is not visible ASCII');
  }
  return contents.toString('latin1');
}

function readCommonName(subject: Buffer): string | undefined {
  const found: string[] = [];
  for (const set of readDer(subject)) {
    for (const attribute of readDer(expectDer(set, derTag.set))) {
      const [type, value] = readDer(expectDer(attribute, derTag.sequence));
      if (expectDer(type, derTag.oid).toString('hex') === oid.commonName) found.push(readText(value));
    }
  }
  return found.length === 1 ? found[0] : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const textTags: ReadonlySet<number> = new Set([derTag.utf8String, derTag.printableString, derTag.ia5String]);

function readText(element: DerElement | undefined): string {
  // Teletex and BMP strings have readings that differ between libraries.
  if (element === undefined || !textTags.has(element.tag))
    throw new DerError('A name of a string type not read here');
  let text: string;
  try {
    text = utf8.decode(element.contents);
  } catch {
    throw new DerError('A name is not UTF-8');
  }
  // Controls, line separators, and what turns the direction of writing round or takes no room on a screen.
  if (text === '' || text.length > 256 || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{FFFD}]/u.test(text)) {
    throw new DerError('A name has a character that cannot be shown');
  }
  return text;
}

function isAuthority(basicConstraints: Buffer | undefined): boolean {
  if (basicConstraints === undefined) return false;
  const [first] = readDer(readOneDer(basicConstraints, derTag.sequence));
  return first?.tag === derTag.boolean && first.contents.some((byte) => byte !== 0);
}

/** keyCertSign is bit 5, cRLSign bit 6, counted from the most significant (RFC 5280, section 4.2.1.3). */
function mayCertify(keyUsage: Buffer | undefined): boolean {
  if (keyUsage === undefined) return false;
  const bits = readOneDer(keyUsage, derTag.bitString);
  return ((bits[1] ?? 0) & 0x06) !== 0;
}

/**
 * digitalSignature is bit 0. OpenSSL also takes a key for key agreement, which its holder may have been given by a CA that
 * vouches for nothing but that it can decrypt: in TLS 1.3 the client signs (RFC 8446, section 4.4.2.2).
 */
function mayProve(keyUsage: Buffer | undefined): boolean {
  if (keyUsage === undefined) return true;
  const bits = readOneDer(keyUsage, derTag.bitString);
  return ((bits[1] ?? 0) & 0x80) !== 0;
}

function mayAuthenticate(extendedKeyUsage: Buffer | undefined): boolean {
  if (extendedKeyUsage === undefined) return true;
  return readDer(readOneDer(extendedKeyUsage, derTag.sequence)).some((purpose) => {
    const name = expectDer(purpose, derTag.oid).toString('hex');
    return name === oid.clientAuth || name === oid.anyExtendedKeyUsage;
  });
}
