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

/** How a client certificate leads to its root. */
export interface ClientChain {
  readonly anchor: X509Certificate;
  /** Leaf first, anchor not included. */
  readonly numbers: readonly CertificateNumber[];
  /** False where certificates between are not known by name: only the handshake has seen them. */
  readonly complete: boolean;
}

/** 8, because real hierarchies have three or four levels, and each level costs a signature check. */
const maximumLength = 8;

/**
 * Finds the root that vouches for a certificate, checking each signature on the way.
 *
 * Node's own chain (`getPeerCertificate(true)`) links certificates by name and key identifier only and takes whatever the
 * client sent along. A client could slip in a look-alike of its intermediate that claims a different root, and a trust
 * domain bound to that root would be open to it; a signature cannot be slipped in.
 *
 * Some releases of Node do not show on the server what else a client sent. Where there is only one root, the
 * handshake can have ended nowhere else; where there are several, the intermediates must be in the CA files.
 *
 * @param leaf a certificate that the handshake has verified: dates, purpose, constraints and revocation are not checked again
 * @param sent what else the client sent, in any order; nothing is believed of it
 * @returns undefined where it is not certain which root it is; treat the certificate as unverified
 */
export function findChain(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  trust: ClientTrust,
): ClientChain | undefined {
  const candidates = [...sent, ...trust.intermediates];
  const numbers: CertificateNumber[] = [];
  let current = leaf;
  for (let length = 0; length < maximumLength; length += 1) {
    numbers.push(certificateNumber(current.raw));
    const anchor = trust.roots.find((root) => isSignedBy(current, root));
    if (anchor !== undefined) return { anchor, numbers, complete: true };
    const issuer = candidates.find(
      (candidate) => candidate.ca && !candidate.raw.equals(current.raw) && isSignedBy(current, candidate),
    );
    if (issuer === undefined) break;
    current = issuer;
  }
  const [onlyRoot, ...others] = trust.roots;
  if (onlyRoot === undefined || others.length > 0) return undefined;
  return { anchor: onlyRoot, numbers, complete: false };
}

/** Whether a chain that was good at its handshake still is. What is not certain is not trusted: the client may come again. */
export function isStillTrusted(chain: ClientChain, trust: ClientTrust): boolean {
  return (
    (chain.complete || trust.revocations.size === 0) &&
    trust.roots.some((root) => root.raw.equals(chain.anchor.raw)) &&
    !chain.numbers.some((number) => isRevoked(number, trust.revocations))
  );
}

export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
