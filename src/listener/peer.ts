import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Peer, PeerCertificate } from '../identity/peer.ts';
import { CertificateRefused } from './certificate-refused.ts';
import { type ClientChain, type ClientTrust, findChain } from './client-chain.ts';

/** What is known of the other end once its handshake is over. */
export interface ProvenPeer {
  readonly peer: Peer;
  /** Undefined where there is no verified certificate. */
  readonly chain: ClientChain | undefined;
  /** Why a certificate that was shown is not believed. Such a peer is refused, never taken for one without. */
  readonly unverified: CertificateRefused | undefined;
}

/** Peer of a plain socket. Never from a header: `X-Forwarded-For` is whatever the client wrote. */
export function plainPeer(socket: Socket): Peer {
  return {
    address: unmapped(socket.remoteAddress),
    port: socket.remotePort ?? 0,
    tls: undefined,
  };
}

/** @param trust undefined where the listener asks for no certificates */
export function tlsPeer(socket: TLSSocket, trust: ClientTrust | undefined): ProvenPeer {
  const proven = trust === undefined ? withoutCertificate : proveCertificate(socket, trust);
  return {
    peer: {
      ...plainPeer(socket),
      tls: { version: socket.getProtocol() ?? 'unknown', certificate: proven.certificate },
    },
    chain: proven.chain,
    unverified: proven.unverified,
  };
}

interface Proof {
  readonly certificate: PeerCertificate | undefined;
  readonly chain: ClientChain | undefined;
  readonly unverified: CertificateRefused | undefined;
}

const withoutCertificate: Proof = { certificate: undefined, chain: undefined, unverified: undefined };

function proveCertificate(socket: TLSSocket, trust: ClientTrust): Proof {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return withoutCertificate;
  if (!socket.authorized) {
    return {
      ...withoutCertificate,
      unverified: new CertificateRefused(String(socket.authorizationError ?? 'not-verified')),
    };
  }
  let chain: ClientChain | undefined;
  try {
    chain = findChain(leaf, sentIssuers(socket), trust);
  } catch (error) {
    return {
      ...withoutCertificate,
      unverified: new CertificateRefused('chain-unreadable', (error as Error).message),
    };
  }
  if (chain === undefined)
    return {
      ...withoutCertificate,
      unverified: new CertificateRefused(
        'root-not-certain',
        'its root is not certain: add the intermediates to the CA files, each from one root only',
      ),
    };
  return {
    certificate: {
      raw: leaf.raw,
      fingerprint256: plainHex(leaf.fingerprint256),
      anchorFingerprint256: plainHex(chain.anchor.fingerprint256),
    },
    chain,
    unverified: undefined,
  };
}

/** 8, as long as a chain may be: a client may send any number of certificates. */
const mostIssuers = 8;

/** The certificates that Node links to the client's own. Only candidates: see `findChain`. */
function sentIssuers(socket: TLSSocket): readonly X509Certificate[] {
  const issuers: X509Certificate[] = [];
  let current = socket.getPeerCertificate(true);
  while (issuers.length < mostIssuers) {
    const next = current.issuerCertificate;
    // The chain of a root ends in a circle.
    if (next?.raw === undefined || next === current) break;
    issuers.push(new X509Certificate(next.raw));
    current = next;
  }
  return issuers;
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

/** `::ffff:192.0.2.1` is how a dual-stack socket shows an IPv4 peer: one peer, one spelling. */
export function unmapped(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
