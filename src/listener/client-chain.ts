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
  /** Leaf first, then all that may stand between it and the anchor; anchor not included. */
  readonly numbers: readonly CertificateNumber[];
  /** False where certificates between are not known by name: only the handshake has seen them. */
  readonly complete: boolean;
}

/** 16, because real hierarchies have three or four levels, and each certificate costs signature checks. */
const maximumReached = 16;

/**
 * Finds the root that vouches for a certificate, checking each signature on the way.
 *
 * Node's own chain (`getPeerCertificate(true)`) links certificates by name and key identifier only and takes whatever the
 * client sent along. A client could slip in a look-alike of its intermediate that claims a different root, and a trust
 * domain bound to that root would be open to it; a signature cannot be slipped in.
 *
 * All ways up are looked at, not the first. Where an intermediate is cross-signed by two roots, OpenSSL may have gone up to
 * one while the first way found leads to the other, whose own certificate for it has expired, was revoked or limits its
 * names: whoever runs the intermediate would speak for the domain of a root that has withdrawn from it. What has expired
 * or is revoked leads nowhere; two ways that are left to roots with different keys are not certain.
 *
 * Some releases of Node do not show on the server what else a client sent. Where there is only one root, the
 * handshake can have ended nowhere else; where there are several, the intermediates must be in the CA files.
 *
 * @param leaf a certificate that the handshake has verified: purpose, constraints and its own dates are not checked again
 * @param sent what else the client sent, in any order; nothing is believed of it
 * @param time milliseconds since the epoch
 * @returns undefined where it is not certain which root it is; treat the certificate as unverified
 */
export function findChain(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  trust: ClientTrust,
  time: number = Date.now(),
): ClientChain | undefined {
  const candidates = [...sent, ...trust.intermediates].filter(
    (candidate) => candidate.ca && leadsOn(candidate, trust, time),
  );
  const reached = [leaf];
  const anchors: X509Certificate[] = [];
  for (const current of reached) {
    for (const root of trust.roots) {
      if (!anchors.includes(root) && isSignedBy(current, root) && isCurrent(root, time)) anchors.push(root);
    }
    for (const candidate of candidates) {
      if (reached.some(({ raw }) => raw.equals(candidate.raw)) || !isSignedBy(current, candidate)) continue;
      reached.push(candidate);
    }
    if (reached.length > maximumReached) return undefined;
  }
  const numbers = reached.map(({ raw }) => certificateNumber(raw));
  const [anchor, ...others] = anchors;
  if (anchor !== undefined) {
    // A root that was renewed with its key is the same authority twice.
    return others.every((other) => hasSameKey(anchor, other))
      ? { anchor, numbers, complete: true }
      : undefined;
  }
  const [onlyRoot, ...moreRoots] = trust.roots;
  if (onlyRoot === undefined || moreRoots.length > 0) return undefined;
  return { anchor: onlyRoot, numbers, complete: false };
}

/** Whether OpenSSL may have gone up by this certificate. */
function leadsOn(certificate: X509Certificate, trust: ClientTrust, time: number): boolean {
  return isCurrent(certificate, time) && !isRevoked(certificateNumber(certificate.raw), trust.revocations);
}

function isCurrent({ validFromDate, validToDate }: X509Certificate, time: number): boolean {
  // RFC 5280: valid through the last second.
  return validFromDate.getTime() <= time && time < validToDate.getTime() + 1000;
}

function hasSameKey(one: X509Certificate, other: X509Certificate): boolean {
  return one.subject === other.subject && one.publicKey.equals(other.publicKey);
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
