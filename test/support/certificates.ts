import { createHash, X509Certificate } from 'node:crypto';
import { createAuthority, type KeyPair, type RawExtension } from '../../src/cli/certificates.ts';

/** What a test wants of a certificate. Names are written byte by byte (latin1): commas, NULs, anything. */
export interface TestCertificate {
  /** DNS names and IPv4 addresses. */
  readonly san?: readonly string[];
  readonly uris?: readonly string[];
  readonly cn?: string;
  /** Default: clientAuth. Empty: no extended key usage at all. */
  readonly eku?: readonly ('serverAuth' | 'clientAuth')[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Extensions that take the place of those that would be made. */
  readonly rawExtensions?: readonly RawExtension[];
}

export interface IssuedCertificate extends KeyPair {
  /** Hexadecimal, as `crl` takes it. */
  readonly serial: string;
  /** DER. */
  readonly raw: Buffer;
  /** SHA-256 over the DER, lower-case hex. */
  readonly fingerprint256: string;
}

export interface TestCa {
  readonly caPem: string;
  readonly caKey: string;
  /** SHA-256 over the DER of the CA certificate, lower-case hex. */
  readonly fingerprint256: string;
  issue(certificate?: TestCertificate): Promise<IssuedCertificate>;
  /** PEM of a list that revokes these serials. It ends with the CA, unless told otherwise. */
  crl(serials?: readonly string[], nextUpdate?: Date): Promise<string>;
}

const hour = 3_600_000;

/** A CA in memory that issues what no sane CA would. Valid from an hour ago for a day, unless told otherwise. */
export async function makeTestCa(
  options: { readonly name?: string; readonly notBefore?: Date; readonly notAfter?: Date } = {},
): Promise<TestCa> {
  const now = Date.now();
  const notBefore = options.notBefore ?? new Date(now - hour);
  const notAfter = options.notAfter ?? new Date(now + 24 * hour);
  const authority = await createAuthority({ commonName: options.name ?? 'test CA', notBefore, notAfter });
  let lists = 0;
  return {
    caPem: authority.certPem,
    caKey: authority.keyPem,
    fingerprint256: fingerprint(new X509Certificate(authority.certPem).raw),
    async issue(certificate = {}) {
      const names = [
        ...(certificate.san ?? []).map(toHostName),
        ...(certificate.uris ?? []).map((uri) => der(0x86, Buffer.from(uri, 'latin1'))),
      ];
      const san = { oid: '2.5.29.17', critical: certificate.cn === undefined, value: der(0x30, ...names) };
      const pair = await authority.issue({
        ...(certificate.cn === undefined ? {} : { commonName: certificate.cn }),
        usages: certificate.eku ?? ['clientAuth'],
        notBefore: certificate.notBefore ?? notBefore,
        notAfter: certificate.notAfter ?? notAfter,
        rawExtensions: [...(names.length === 0 ? [] : [san]), ...(certificate.rawExtensions ?? [])],
      });
      const parsed = new X509Certificate(pair.certPem);
      return {
        ...pair,
        serial: parsed.serialNumber,
        raw: parsed.raw,
        fingerprint256: fingerprint(parsed.raw),
      };
    },
    crl(serials = [], nextUpdate = notAfter) {
      lists += 1;
      return authority.crl({ revoked: serials, number: lists, thisUpdate: notBefore, nextUpdate });
    },
  };
}

function toHostName(name: string): Uint8Array<ArrayBuffer> {
  const octets = name.split('.').map(Number);
  const isAddress = octets.length === 4 && octets.every((octet) => octet >= 0 && octet <= 255);
  return isAddress ? der(0x87, Uint8Array.from(octets)) : der(0x82, Buffer.from(name, 'latin1'));
}

/** Writes one DER element. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = Buffer.concat(contents);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Uint8Array.from([tag, ...length, ...body]);
}

function fingerprint(raw: Buffer): string {
  return createHash('sha256').update(raw).digest('hex');
}
