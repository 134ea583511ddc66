import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { loadPlainFile } from '../document/plain-file.ts';
import { pemBlocks } from '../values/pem-blocks.ts';
import { type ClientTrust, isSignedBy } from './client-chain.ts';
import { readRevocations, subjectOf } from './crl.ts';
import type { TlsOptions } from './options.ts';

/** Everything that one reading of the TLS files gave. Whole and checked, or not there at all. */
export interface TlsMaterial {
  /** For `createSecureServer` and `setSecureContext` alike. */
  readonly context: SecureContextOptions;
  /** Undefined where clients are not asked for certificates. */
  readonly trust: ClientTrust | undefined;
  /** Not fatal, but operators should know: dates that have passed. */
  readonly warnings: readonly string[];
}

/** ECDHE for forward secrecy, AEAD against padding oracles. The first three are all there is of TLS 1.3. */
const cipherSuites = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/** OpenSSL's SSL_OP_NO_RENEGOTIATION is missing from the type definitions of node:crypto. */
const noRenegotiation = 1 << 30;

/**
 * Reads and checks the TLS files.
 *
 * Sessions are never resumed: OpenSSL does not look at a client's certificate again when it takes up an old session, so a
 * ticket would outlive a revocation. Without tickets (`SSL_OP_NO_TICKET`) sessions would be found in a cache by their id,
 * and Node has no cache unless somebody listens for `resumeSession`; here nobody does. A handshake costs less than a
 * millisecond and connections are kept.
 *
 * @throws Error naming the file and what is wrong with it
 */
export async function loadTls(options: TlsOptions): Promise<TlsMaterial> {
  const [certificate, key] = await Promise.all([read(options.certificate), read(options.key)]);
  const chain = parseCertificates(options.certificate, certificate);
  checkKey(options, chain[0]!, key);
  const warnings = [...dateWarnings(options.certificate, chain)];

  const base: SecureContextOptions = {
    cert: certificate,
    key,
    minVersion: options.minVersion === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: cipherSuites,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | noRenegotiation,
  };
  const clients = options.clients;
  if (clients === undefined || clients.mode === 'none') {
    const context = checkContext(base);
    return { context, trust: undefined, warnings };
  }

  const authorities = (
    await Promise.all(clients.ca.map(async (file) => parseCertificates(file, await read(file))))
  ).flat();
  const roots = authorities.filter((authority) => authority.ca && isSignedBy(authority, authority));
  const intermediates = authorities.filter((authority) => !roots.includes(authority));
  if (roots.length === 0) {
    throw new Error(`${clients.ca.join(', ')}: no self-signed CA certificate, so no client chain can end`);
  }
  const lists = (
    await Promise.all(clients.crl.map(async (file) => parseLists(file, await read(file))))
  ).flat();
  const revocations = readRevocations(lists.map(({ der }) => der));
  if (lists.length > 0) {
    for (const authority of authorities) {
      if (revocations.has(subjectOf(authority.raw))) continue;
      throw new Error(
        `${clients.crl.join(', ')}: no CRL of ${nameOf(authority)}, so all its clients would be refused`,
      );
    }
  }
  warnings.push(...dateWarnings(clients.ca.join(', '), authorities));
  const context = checkContext({
    ...base,
    ca: authorities.map((authority) => authority.toString()),
    ...(lists.length > 0 && { crl: lists.map(({ pem }) => pem) }),
  });
  return { context, trust: { roots, intermediates, revocations }, warnings };
}

async function read(file: string): Promise<string> {
  try {
    return await loadPlainFile(file);
  } catch (error) {
    throw new Error(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** Node reads only the first CRL of a file, and takes a CA file without certificates for none: so split it here. */
function blocksOf(file: string, text: string, label: string): readonly string[] {
  const blocks = pemBlocks(text, label);
  if (blocks === undefined) throw new Error(`${file}: a PEM block in it is not whole`);
  return blocks;
}

function parseCertificates(file: string, text: string): readonly X509Certificate[] {
  const blocks = blocksOf(file, text, 'CERTIFICATE');
  if (blocks.length === 0) throw new Error(`${file}: no PEM certificate in it`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`${file}: a certificate in it is broken`, { cause });
    }
  });
}

function parseLists(file: string, text: string): readonly { pem: string; der: Buffer }[] {
  const blocks = blocksOf(file, text, 'X509 CRL');
  if (blocks.length === 0) throw new Error(`${file}: no PEM CRL (BEGIN X509 CRL) in it`);
  return blocks.map((pem) => {
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
    try {
      createSecureContext({ crl: pem });
      readRevocations([der]);
    } catch (cause) {
      throw new Error(`${file}: a CRL in it is broken`, { cause });
    }
    return { pem, der };
  });
}

function checkKey(options: TlsOptions, certificate: X509Certificate, key: string): void {
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new Error(`${options.key}: not a private key in PEM without passphrase`, { cause });
  }
  if (!matches)
    throw new Error(`${options.key}: does not belong to the certificate in ${options.certificate}`);
}

function checkContext(context: SecureContextOptions): SecureContextOptions {
  createSecureContext(context);
  return context;
}

/** Past dates do not stop a start or a reload: a reload may be what brings a revocation, and must not wait for them. */
function dateWarnings(file: string, certificates: readonly X509Certificate[]): readonly string[] {
  const now = Date.now();
  return certificates
    .filter(({ validFromDate, validToDate }) => validToDate.getTime() < now || validFromDate.getTime() > now)
    .map((certificate) => `${file}: ${nameOf(certificate)} is not valid now (until ${certificate.validTo})`);
}

function nameOf(certificate: X509Certificate): string {
  return certificate.subject.replaceAll('\n', ', ');
}
