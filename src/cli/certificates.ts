import 'reflect-metadata';

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { type KeyHolder, type KeyKind, loadKey, makeKey, toPem } from './certs/keys.ts';
import {
  decodeNameConstraints,
  encodeNameConstraints,
  nameConstraintsOid,
  namesOutside,
  type PermittedNames,
} from './certs/name-constraints.ts';

/** PEM of a certificate and of its PKCS#8 private key. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** An X.509 extension as it will stand in a certificate. */
export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER of the value. */
  readonly value: Uint8Array<ArrayBuffer>;
}

export type Usage = 'serverAuth' | 'clientAuth';

export interface LeafRequest {
  readonly commonName?: string | undefined;
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly usages: readonly Usage[];
  readonly notBefore: Date;
  /** Cut to the end of the authority: a chain that outlives its root never verifies. */
  readonly notAfter: Date;
  /** Default: a new P-256 key. */
  readonly key?: KeyKind | undefined;
  /** PKCS#8 of a key to use again. */
  readonly sameKey?: string | undefined;
  /** Take the place of the extensions of the same id that would be made otherwise. */
  readonly rawExtensions?: readonly RawExtension[];
}

/** Why a certificate must not be believed any more (RFC 5280, section 5.3.1). */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

export type RevocationReason = keyof typeof revocationReasons;

export interface RevokedCertificate {
  /** Hexadecimal. */
  readonly serial: string;
  readonly at: Date;
  readonly reason: RevocationReason;
}

export interface CrlRequest {
  /** Serial numbers, hexadecimal, revoked as of `thisUpdate` for no stated reason; or with both. */
  readonly revoked?: readonly (string | RevokedCertificate)[];
  /** Grows with each list (RFC 5280, section 5.2.3). */
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

export interface AuthorityRequest {
  readonly commonName: string;
  readonly notBefore: Date;
  /** Cut to the end of the issuer. */
  readonly notAfter: Date;
  /** Default: P-256. */
  readonly key?: KeyKind | undefined;
  /** Absent: no limits. */
  readonly permitted?: PermittedNames | undefined;
  /** Whether it signs an intermediate authority, which signs the leaves. */
  readonly above?: boolean | undefined;
}

/** A private certificate authority, in memory. */
export interface Authority extends KeyPair {
  readonly notAfter: Date;
  /** The names that it may vouch for; undefined: any. */
  readonly permitted: PermittedNames | undefined;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  /** @throws RangeError where the names are outside of what the authority may vouch for */
  issue(request: LeafRequest): Promise<KeyPair>;
  /** Makes an authority below this one, which signs leaves only. */
  issueAuthority(request: AuthorityRequest): Promise<Authority>;
  /** PEM of a revocation list, labelled `X509 CRL` as OpenSSL and Node want it. */
  crl(request: CrlRequest): Promise<string>;
}

/**
 * Makes a certificate authority with a new key. It signs leaves only (`pathLenConstraint` 0), or one level of authorities
 * that do, so that a leaf's key that leaks cannot name anybody else.
 */
export async function createAuthority(request: AuthorityRequest): Promise<Authority> {
  const key = await makeKey(request.key ?? 'ec-p256');
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: toName(request.commonName),
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    keys: { publicKey: key.publicKey, privateKey: key.privateKey },
    signingAlgorithm: key.signing,
    extensions: [
      ...(await authorityExtensions(request, key)),
      await x509.AuthorityKeyIdentifierExtension.create(key.publicKey),
    ],
  });
  return toAuthority(certificate, key);
}

/**
 * Takes up an authority that was made before.
 *
 * @throws Error where the texts are not a CA certificate and its key in PKCS#8
 */
export async function loadAuthority(pair: KeyPair): Promise<Authority> {
  const certificate = new x509.X509Certificate(pair.certPem);
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) {
    throw new Error('the certificate is not one of a certificate authority');
  }
  const key = await loadKey(pair.keyPem);
  if (!(await belongs(certificate, key))) {
    throw new Error('the private key does not belong to the certificate');
  }
  return toAuthority(certificate, key);
}

async function belongs(certificate: x509.X509Certificate, key: KeyHolder): Promise<boolean> {
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', key.publicKey));
  return spki.equals(Buffer.from(certificate.publicKey.rawData));
}

async function authorityExtensions(request: AuthorityRequest, key: KeyHolder): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, request.above === true ? 1 : 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
    // Critical: a verifier that does not know them must refuse the chain (RFC 5280, section 4.2.1.10).
    ...(request.permitted === undefined
      ? []
      : [new x509.Extension(nameConstraintsOid, true, encodeNameConstraints(request.permitted))]),
  ];
}

function toAuthority(certificate: x509.X509Certificate, key: KeyHolder): Authority {
  const constraints = certificate.getExtension(nameConstraintsOid);
  const permitted = constraints === null ? undefined : decodeNameConstraints(constraints.value);
  const until = (date: Date) => new Date(Math.min(date.getTime(), certificate.notAfter.getTime()));
  const sign = (request: {
    readonly subject: x509.Name | undefined;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly key: KeyHolder;
    readonly extensions: x509.Extension[];
  }) =>
    x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      ...(request.subject && { subject: request.subject }),
      issuer: certificate.subjectName,
      notBefore: request.notBefore,
      notAfter: until(request.notAfter),
      publicKey: request.key.publicKey,
      signingKey: key.privateKey,
      signingAlgorithm: key.signing,
      extensions: request.extensions,
    });
  return {
    certPem: `${certificate.toString('pem')}\n`,
    keyPem: key.pem,
    notAfter: certificate.notAfter,
    permitted,
    serial: new X509Certificate(certificate.toString('pem')).serialNumber.toLowerCase(),
    async issue(request) {
      const outside = permitted === undefined ? [] : namesOutside(permitted, request);
      if (outside.length > 0) {
        throw new RangeError(`the CA may not vouch for ${outside.join(', ')}: see its name constraints`);
      }
      const own =
        request.sameKey === undefined
          ? await makeKey(request.key ?? 'ec-p256')
          : await loadKey(request.sameKey);
      const leaf = await sign({
        subject: request.commonName === undefined ? undefined : toName(request.commonName),
        notBefore: request.notBefore,
        notAfter: request.notAfter,
        key: own,
        extensions: await leafExtensions(request, own, certificate),
      });
      return { certPem: `${leaf.toString('pem')}\n`, keyPem: own.pem };
    },
    async issueAuthority(request) {
      const own = await makeKey(request.key ?? 'ec-p256');
      const below = await sign({
        subject: toName(request.commonName),
        notBefore: request.notBefore,
        notAfter: request.notAfter,
        key: own,
        extensions: [
          ...(await authorityExtensions({ ...request, above: false }, own)),
          await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
        ],
      });
      return toAuthority(below, own);
    },
    async crl(request) {
      const list = await x509.X509CrlGenerator.create({
        issuer: certificate.subjectName,
        thisUpdate: request.thisUpdate,
        nextUpdate: request.nextUpdate,
        entries: (request.revoked ?? []).map((entry) =>
          typeof entry === 'string'
            ? { serialNumber: entry, revocationDate: request.thisUpdate }
            : {
                serialNumber: entry.serial,
                revocationDate: entry.at,
                // `unspecified` is told by leaving it out (RFC 5280, section 5.3.1).
                ...(entry.reason !== 'unspecified' && { reason: revocationReasons[entry.reason] }),
              },
        ),
        extensions: [
          await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
          new x509.Extension('2.5.29.20', false, derInteger(request.number)),
        ],
        signingAlgorithm: key.signing,
        signingKey: key.privateKey,
      });
      // The library labels it `CRL`, which OpenSSL does not find.
      return toPem('X509 CRL', list.rawData);
    },
  };
}

async function leafExtensions(
  request: LeafRequest,
  key: KeyHolder,
  issuer: x509.X509Certificate,
): Promise<x509.Extension[]> {
  const names: x509.JsonGeneralNames = [
    ...(request.hosts ?? []).map((value) => ({
      type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
      value,
    })),
    ...(request.uris ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  const made = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ...(request.usages.length === 0
      ? []
      : [new x509.ExtendedKeyUsageExtension(request.usages.map((usage) => x509.ExtendedKeyUsage[usage]))]),
    await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    // Critical where it is the only name (RFC 5280, section 4.2.1.6).
    ...(names.length === 0
      ? []
      : [new x509.SubjectAlternativeNameExtension(names, request.commonName === undefined)]),
  ];
  const raw = request.rawExtensions ?? [];
  return [
    ...made.filter(({ type }) => raw.every(({ oid }) => oid !== type)),
    ...raw.map(({ oid, critical, value }) => new x509.Extension(oid, critical, value)),
  ];
}

/** From parts, never from text: `a,O=b` is one name here. */
function toName(commonName: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
}

/** 128 bits, positive, and never shorter: the second highest bit is set. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(Buffer.alloc(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const digits = value.toString(16);
  const contents = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const positive = contents[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), contents]) : contents;
  return new Uint8Array([0x02, positive.length, ...positive]);
}
