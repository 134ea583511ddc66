import 'reflect-metadata';

import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

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
  readonly commonName?: string;
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[];
  readonly uris?: readonly string[];
  readonly usages: readonly Usage[];
  readonly notBefore: Date;
  /** Cut to the end of the authority: a chain that outlives its root never verifies. */
  readonly notAfter: Date;
  /** Take the place of the extensions of the same id that would be made otherwise. */
  readonly rawExtensions?: readonly RawExtension[];
}

export interface CrlRequest {
  /** Serial numbers, hexadecimal. */
  readonly revoked?: readonly string[];
  /** Grows with each list (RFC 5280, section 5.2.3). */
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/** A private certificate authority, in memory. */
export interface Authority extends KeyPair {
  readonly notAfter: Date;
  issue(request: LeafRequest): Promise<KeyPair>;
  /** PEM of a revocation list, labelled `X509 CRL` as OpenSSL and Node want it. */
  crl(request: CrlRequest): Promise<string>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;

/**
 * Makes a certificate authority with a new P-256 key. It signs leaves only (`pathLenConstraint` 0), so that a leaf's
 * key that leaks cannot name anybody else.
 */
export async function createAuthority(request: {
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: toName(request.commonName),
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    keys,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toAuthority(certificate, keys.privateKey, await exportKey(keys.privateKey));
}

/**
 * Takes up an authority that `createAuthority` made before.
 *
 * @throws Error where the texts are not a CA certificate and its P-256 key in PKCS#8
 */
export async function loadAuthority(pair: KeyPair): Promise<Authority> {
  const certificate = new x509.X509Certificate(pair.certPem);
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) {
    throw new Error('the certificate is not one of a certificate authority');
  }
  const key = await crypto.subtle.importKey('pkcs8', fromPem(pair.keyPem), algorithm, true, ['sign']);
  const probe = Buffer.from('the key belongs to the certificate');
  const signature = await crypto.subtle.sign(signing, key, probe);
  const publicKey = await certificate.publicKey.export(algorithm, ['verify']);
  if (!(await crypto.subtle.verify(signing, publicKey, signature, probe))) {
    throw new Error('the private key does not belong to the certificate');
  }
  return toAuthority(certificate, key, pair.keyPem);
}

function toAuthority(certificate: x509.X509Certificate, key: webcrypto.CryptoKey, keyPem: string): Authority {
  return {
    certPem: `${certificate.toString('pem')}\n`,
    keyPem,
    notAfter: certificate.notAfter,
    async issue(request) {
      const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: randomSerial(),
        ...(request.commonName === undefined ? {} : { subject: toName(request.commonName) }),
        issuer: certificate.subjectName,
        notBefore: request.notBefore,
        notAfter: new Date(Math.min(request.notAfter.getTime(), certificate.notAfter.getTime())),
        publicKey: keys.publicKey,
        signingKey: key,
        signingAlgorithm: signing,
        extensions: await leafExtensions(request, keys.publicKey, certificate),
      });
      return { certPem: `${leaf.toString('pem')}\n`, keyPem: await exportKey(keys.privateKey) };
    },
    async crl(request) {
      const list = await x509.X509CrlGenerator.create({
        issuer: certificate.subjectName,
        thisUpdate: request.thisUpdate,
        nextUpdate: request.nextUpdate,
        entries: (request.revoked ?? []).map((serialNumber) => ({
          serialNumber,
          revocationDate: request.thisUpdate,
        })),
        extensions: [
          await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
          new x509.Extension('2.5.29.20', false, derInteger(request.number)),
        ],
        signingAlgorithm: signing,
        signingKey: key,
      });
      // The library labels it `CRL`, which OpenSSL does not find.
      return toPem('X509 CRL', list.rawData);
    },
  };
}

async function leafExtensions(
  request: LeafRequest,
  publicKey: webcrypto.CryptoKey,
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
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
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

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return toPem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', key));
}

function toPem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function fromPem(pem: string): Uint8Array<ArrayBuffer> {
  const match = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem);
  if (match === null) throw new Error('the private key is not PEM in PKCS#8');
  return new Uint8Array(Buffer.from(match[1]!, 'base64'));
}
