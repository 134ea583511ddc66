import type { TLSSocket } from 'node:tls';
import { CertificateRefused } from './certificate-refused.ts';
import { isStillTrusted } from './client-chain.ts';
import { type ProvenPeer, tlsPeer } from './peer.ts';
import type { TlsMaterial } from './tls.ts';

/**
 * Who finished a handshake.
 *
 * Node holds a handshake against the files that were in force when its connection was accepted, and a client may take its time
 * over it: whoever waits for the reload that revokes it must not come in after. So its chain is looked for among what the
 * handshake was held against, and then must be good by what is in force now.
 *
 * @param begun what was in force when the connection was accepted; undefined where that is not known: no certificate is
 *   believed then
 * @param now what is in force now
 */
export function peerOfHandshake(
  socket: TLSSocket,
  begun: TlsMaterial | undefined,
  now: TlsMaterial | undefined,
): ProvenPeer {
  const proven = tlsPeer(socket, begun?.trust);
  if (begun !== undefined && begun === now) return proven;
  const { chain, peer } = proven;
  if (begun !== undefined && socket.getPeerX509Certificate() === undefined) return proven;
  if (chain !== undefined && now?.trust !== undefined && isStillTrusted(chain, now.trust)) return proven;
  return {
    peer: { ...peer, tls: { version: peer.tls?.version ?? 'unknown', certificate: undefined } },
    chain: undefined,
    unverified:
      proven.unverified ??
      new CertificateRefused('trust-changed', 'it counts no more since a reload during its handshake'),
  };
}
