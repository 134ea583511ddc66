import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { type webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as x509 from '@peculiar/x509';
import { type RevokedCertificate, revocationReasons } from '../../src/cli/certificates.ts';
import { toPem } from '../../src/cli/certs/keys.ts';
import { der } from './certificates.ts';

/** Somebody with a key and a certificate that no sane CA would make. */
export interface Party {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly signing: webcrypto.EcdsaParams | webcrypto.AlgorithmIdentifier;
  readonly pem: string;
  readonly keyPem: string;
  /** Hexadecimal. */
  readonly serial: string;
}

export type OddKey = 'ec' | 'rsa-2048' | 'rsa-1024' | 'rsa-2048-sha1';

export interface OddRequest {
  readonly cn?: string | undefined;
  /** Absent: signed by itself. */
  readonly issuer?: Party;
  /** Signs in the issuer's place, though the issuer's name stands in the certificate. */
  readonly signer?: Party;
  readonly keys?: Party;
  readonly key?: OddKey;
  /** Absent: no basicConstraints that say so. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Bits; absent: what befits; null: no extension. */
  readonly keyUsage?: number | null;
  /** OIDs; absent: clientAuth for leaves, none for CAs; null: no extension. */
  readonly eku?: readonly string[] | null;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly x509.Extension[];
}

export const hour = 3_600_000;
export const oids = {
  clientAuth: '1.3.6.1.5.5.7.3.2',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  any: '2.5.29.37.0',
} as const;

const algorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
  'rsa-2048': rsa(2048, 'SHA-256'),
  'rsa-1024': rsa(1024, 'SHA-256'),
  'rsa-2048-sha1': rsa(2048, 'SHA-1'),
} as const;

function rsa(modulusLength: number, hash: string) {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent, hash };
}

export async function makeParty(request: OddRequest): Promise<Party> {
  const kind = request.key ?? 'ec';
  const keys =
    request.keys?.keys ??
    ((await crypto.subtle.generateKey(algorithms[kind], true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair);
  const signing =
    kind === 'ec'
      ? { name: 'ECDSA', hash: 'SHA-256' }
      : { name: algorithms[kind].name, hash: algorithms[kind].hash };
  const signer = request.signer ?? request.issuer ?? { keys, signing };
  const subject =
    request.cn === undefined ? undefined : new x509.Name([{ CN: [{ utf8String: request.cn }] }]);
  const certificate = await x509.X509CertificateGenerator.create({
    ...(subject && { subject }),
    issuer: request.issuer?.certificate.subjectName ?? subject ?? 'CN=nobody',
    notBefore: request.notBefore ?? new Date(Date.now() - hour),
    notAfter: request.notAfter ?? new Date(Date.now() + 24 * hour),
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: signer.signing as webcrypto.EcdsaParams,
    extensions: await extensionsOf(request, keys, request.issuer),
  });
  const pem = `${certificate.toString('pem')}\n`;
  return {
    certificate,
    keys,
    signing,
    pem,
    keyPem: toPem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
    serial: new X509Certificate(pem).serialNumber.toLowerCase(),
  };
}

async function extensionsOf(
  request: OddRequest,
  keys: webcrypto.CryptoKeyPair,
  issuer: Party | undefined,
): Promise<x509.Extension[]> {
  const { ca = false } = request;
  const usage =
    request.keyUsage === undefined
      ? ca
        ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
        : x509.KeyUsageFlags.digitalSignature
      : request.keyUsage;
  const eku = request.eku === undefined ? (ca ? null : [oids.clientAuth]) : request.eku;
  const names = [
    ...(request.uris ?? []).map((uri) => der(0x86, Buffer.from(uri, 'latin1'))),
    ...(request.dns ?? []).map((name) => der(0x82, Buffer.from(name, 'latin1'))),
  ];
  const made = [
    new x509.BasicConstraintsExtension(ca, request.pathLength, true),
    ...(usage === null ? [] : [new x509.KeyUsagesExtension(usage, true)]),
    ...(eku === null ? [] : [new x509.ExtendedKeyUsageExtension([...eku])]),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuer?.keys.publicKey ?? keys.publicKey),
    ...(names.length === 0
      ? []
      : [new x509.Extension('2.5.29.17', request.cn === undefined, der(0x30, ...names))]),
  ];
  const own = request.extensions ?? [];
  return [...made.filter(({ type }) => own.every((one) => one.type !== type)), ...own];
}

export interface OddCrl {
  readonly revoked?: readonly string[];
  readonly nextUpdate?: Date;
  /** Signs in the issuer's place. */
  readonly signer?: Party;
}

export async function makeCrl(issuer: Party, request: OddCrl = {}): Promise<string> {
  const thisUpdate = new Date(Date.now() - 12 * hour);
  const signer = request.signer ?? issuer;
  const revoked: readonly RevokedCertificate[] = (request.revoked ?? []).map((serial) => ({
    serial,
    at: thisUpdate,
    reason: 'keyCompromise',
  }));
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.certificate.subjectName,
    thisUpdate,
    nextUpdate: request.nextUpdate ?? new Date(Date.now() + 24 * hour),
    entries: revoked.map(({ serial, at, reason }) => ({
      serialNumber: serial,
      revocationDate: at,
      reason: revocationReasons[reason],
    })),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      new x509.Extension('2.5.29.20', false, Uint8Array.from([2, 1, 1])),
    ],
    signingAlgorithm: signer.signing as webcrypto.EcdsaParams,
    signingKey: signer.keys.privateKey,
  });
  return toPem('X509 CRL', list.rawData);
}

/** Signed with MD5, which WebCrypto does not do: OpenSSL still does. */
export async function makeMd5Party(request: {
  readonly cn: string;
  readonly uri: string;
  readonly issuer: Party;
}) {
  const holder = await makeParty({ cn: request.cn, key: 'rsa-2048' });
  const folder = await mkdtemp(join(tmpdir(), 'md5-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...argv: string[]) => promisify(execFile)('openssl', argv);
  try {
    await writeFile(at('ca.crt'), request.issuer.pem);
    await writeFile(at('ca.key'), request.issuer.keyPem);
    await writeFile(at('leaf.key'), holder.keyPem);
    const lines = [
      'basicConstraints=critical,CA:false',
      'extendedKeyUsage=clientAuth',
      `subjectAltName=URI:${request.uri}`,
    ];
    await writeFile(at('extensions'), lines.join('\n'));
    await openssl(
      'req',
      '-new',
      '-key',
      at('leaf.key'),
      '-subj',
      `/CN=${request.cn}`,
      '-out',
      at('leaf.csr'),
    );
    await openssl(
      ...['x509', '-req', '-md5', '-in', at('leaf.csr'), '-CA', at('ca.crt'), '-CAkey', at('ca.key')],
      ...['-set_serial', '77', '-days', '1', '-extfile', at('extensions'), '-out', at('leaf.crt')],
    );
    return { ...holder, pem: await readFile(at('leaf.crt'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}
