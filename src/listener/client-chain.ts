import type { X509Certificate } from 'node:crypto';
import { type CertificateNumber, certificateNumber, isRevoked, type Revocations } from './crl.ts';

/** What client certificates are held against, beside OpenSSL's own check in the handshake. */
export interface ClientTrust {
  /** The self-signed certificates of the configured CA files. */
  readonly roots: readonly X509Certificate[];
  /** The others in those files. */
  readonly intermediates: readonly X509Certificate[];
  readonly revocations: Revocations;
}

/** A chain whose every signature was checked here. */
export interface ClientChain {
  readonly anchor: X509Certificate;
  /** Leaf first, anchor not included. */
  readonly numbers: readonly CertificateNumber[];
}

/** 8, because real hierarchies have three or four levels, and each level costs a signature check. */
const maximumLength = 8;

/**
 * Finds the root that vouches for a certificate, checking each signature on the way.
 *
 * Node's own chain (`issuerCertificate`) links certificates by name and key identifier only and takes whatever the
 * client sent along. A client could slip in a look-alike of its intermediate that claims a different root, and a trust
 * domain bound to that root would be open to it; a signature cannot be slipped in.
 *
 * @param leaf a certificate that the handshake has verified: dates, purpose, constraints and revocation are not checked again
 * @returns undefined where no chain of signatures leads to a root; treat the certificate as unverified
 */
export function findChain(leaf: X509Certificate, trust: ClientTrust): ClientChain | undefined {
  const candidates = [...sentIssuers(leaf), ...trust.intermediates];
  const numbers: CertificateNumber[] = [];
  let current = leaf;
  for (let length = 0; length < maximumLength; length += 1) {
    numbers.push(certificateNumber(current.raw));
    const anchor = trust.roots.find((root) => isSignedBy(current, root));
    if (anchor !== undefined) return { anchor, numbers };
    const issuer = candidates.find(
      (candidate) => candidate.ca && !candidate.raw.equals(current.raw) && isSignedBy(current, candidate),
    );
    if (issuer === undefined) return undefined;
    current = issuer;
  }
  return undefined;
}

/** Whether a chain that was good at its handshake still is. */
export function isStillTrusted(chain: ClientChain, trust: ClientTrust): boolean {
  return (
    trust.roots.some((root) => root.raw.equals(chain.anchor.raw)) &&
    !chain.numbers.some((number) => isRevoked(number, trust.revocations))
  );
}

export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function sentIssuers(leaf: X509Certificate): readonly X509Certificate[] {
  const issuers: X509Certificate[] = [];
  let next = leaf.issuerCertificate;
  while (
    next !== undefined &&
    issuers.length < maximumLength &&
    !next.raw.equals(issuers.at(-1)?.raw ?? leaf.raw)
  ) {
    issuers.push(next);
    next = next.issuerCertificate;
  }
  return issuers;
}
