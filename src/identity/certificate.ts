import { X509Certificate } from 'node:crypto';
import { readPlainFile } from '../document/plain-file.ts';
import { pemBlocks } from '../values/pem-blocks.ts';
import { type Authenticator, type AuthenticatorAnswer, bad, notMine } from './authenticator.ts';
import { type CertificateNames, readCertificateNames } from './certificate-names.ts';
import { createLru } from './lru.ts';
import type { CertificateName, CertificateOptions } from './options.ts';
import type { PeerCertificate } from './peer.ts';
import { certificateId, spiffeId } from './principal-id.ts';
import { parseSpiffeId } from './spiffe.ts';

/** Certificates that are remembered: one per caller and rotation. An entry holds its names, some kilobytes at most. */
const remembered = 10_000;

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Trust domain -> SHA-256 fingerprints of the CAs that may vouch for it. */
type Anchors = ReadonlyMap<string, ReadonlySet<string>>;

interface Identified {
  readonly answer: AuthenticatorAnswer;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Reads the principal from the client certificate that the handshake verified.
 *
 * Checks what the handshake does not: that it is a leaf meant for clients, that its names can be trusted, that the CA
 * which anchors it may speak for its SPIFFE trust domain, and, because a connection may outlive its certificate, its
 * dates at each request. A SPIFFE ID is checked whether or not it becomes the principal, because policy matches the
 * certificate's URIs too.
 *
 * Bad, never skipped: a certificate without a usable name. `dns` and `uri` give a name only if there is exactly one.
 *
 * @throws Error when a CA file of `trust` cannot be read
 */
export function createCertificateAuthenticator(
  options: CertificateOptions,
  dependencies: { readonly readFile?: (path: string) => string } = {},
): Authenticator {
  const readFile = dependencies.readFile ?? readPlainFile;
  let anchors = loadAnchors(options, readFile);
  const cache = createLru<string, Identified>(remembered);

  return {
    kind: 'certificate',
    authenticate({ peer, time }) {
      const certificate = peer.tls?.certificate;
      if (certificate === undefined) return notMine;
      // The anchor is part of the key: the same leaf may arrive under another, cross-signed chain.
      const key = `${certificate.fingerprint256} ${certificate.anchorFingerprint256}`;
      let identified = cache.get(key);
      if (identified === undefined) {
        identified = identify(certificate, options.principal, anchors);
        cache.set(key, identified);
      }
      if (time < identified.notBefore) return bad('certificate-not-yet-valid');
      if (time >= identified.notAfter) return bad('certificate-expired');
      return identified.answer;
    },
    async reload() {
      anchors = loadAnchors(options, readFile);
      cache.clear();
    },
  };
}

function identify(
  certificate: PeerCertificate,
  order: readonly CertificateName[],
  anchors: Anchors | undefined,
): Identified {
  const parsed = new X509Certificate(certificate.raw);
  const notBefore = parsed.validFromDate.getTime();
  // RFC 5280: valid through the last second.
  const notAfter = parsed.validToDate.getTime() + 1000;
  const names = readCertificateNames(certificate.raw);
  const result =
    names === undefined ? 'certificate-name-invalid' : findPrincipal(names, order, certificate, anchors);
  if (typeof result === 'string') return { answer: bad(result), notBefore, notAfter };
  const { commonName, uris, dns } = names!;
  const answer: AuthenticatorAnswer = Object.freeze({
    kind: 'proven',
    principalId: result.principalId,
    credential: Object.freeze({
      kind: 'certificate',
      fingerprint256: certificate.fingerprint256,
      serial: parsed.serialNumber.toLowerCase(),
      commonName,
      uris: Object.freeze([...uris]),
      dns: Object.freeze([...dns]),
      anchorFingerprint256: certificate.anchorFingerprint256,
      expiresAt: notAfter,
    }),
  });
  return { answer, notBefore, notAfter };
}

/** The principal's id, or the reason why there is none. */
function findPrincipal(
  names: CertificateNames,
  order: readonly CertificateName[],
  certificate: PeerCertificate,
  anchors: Anchors | undefined,
): { readonly principalId: string } | string {
  if (names.signsCertificates) return 'certificate-is-authority';
  if (!names.authenticatesClients) return 'certificate-usage';

  // `SPIFFE:` too: a scheme has no case, so another reader would take it for one.
  const hasSpiffe = names.uris.some((uri) => /^spiffe:/i.test(uri));
  let spiffe: string | undefined;
  if (hasSpiffe) {
    // X.509-SVID, section 2: exactly one URI, or nobody can say which one speaks.
    if (names.uris.length > 1) return 'spiffe-several';
    const parsed = parseSpiffeId(names.uris[0]!);
    // Section 3.1: a leaf has a path; an id without one names the trust domain itself.
    if (parsed === undefined || parsed.path === '') return 'spiffe-invalid';
    if (anchors !== undefined) {
      const allowed = anchors.get(parsed.trustDomain);
      if (allowed === undefined) return 'spiffe-domain-unknown';
      if (!allowed.has(certificate.anchorFingerprint256)) return 'spiffe-domain-of-another-ca';
    }
    spiffe = parsed.id;
  }

  let ambiguous = false;
  for (const kind of order) {
    if (kind === 'spiffe' && spiffe !== undefined) return { principalId: spiffeId(spiffe) };
    if (kind === 'cn' && names.commonName !== undefined) {
      return { principalId: certificateId('cn', names.commonName) };
    }
    if (kind === 'uri' || kind === 'dns') {
      const candidates = kind === 'uri' ? names.uris : names.dns;
      ambiguous ||= candidates.length > 1;
      const [name] = candidates;
      if (candidates.length !== 1 || name === undefined) continue;
      // A wildcard names many hosts, a principal is one caller.
      if (kind === 'dns' && !hostName.test(name)) return 'certificate-name-invalid';
      if (kind === 'uri' && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(name)) return 'certificate-name-invalid';
      return { principalId: kind === 'uri' && spiffe === name ? spiffeId(name) : certificateId(kind, name) };
    }
  }
  return ambiguous ? 'certificate-name-ambiguous' : 'certificate-name-missing';
}

function loadAnchors(options: CertificateOptions, readFile: (path: string) => string): Anchors | undefined {
  if (options.trust === undefined) return undefined;
  const anchors = new Map<string, Set<string>>();
  for (const { domain, ca } of options.trust) {
    const known = anchors.get(domain) ?? new Set();
    anchors.set(domain, known);
    for (const fingerprint of readFingerprints(ca, readFile)) known.add(fingerprint);
  }
  return anchors;
}

function readFingerprints(path: string, readFile: (path: string) => string): readonly string[] {
  const blocks = pemBlocks(readFile(path), 'CERTIFICATE');
  if (blocks === undefined) throw new Error(`${path}: a PEM block in it is not whole`);
  if (blocks.length === 0) throw new Error(`${path}: holds no certificate`);
  try {
    return blocks.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase());
  } catch (cause) {
    throw new Error(`${path}: holds a certificate that cannot be read`, { cause });
  }
}
