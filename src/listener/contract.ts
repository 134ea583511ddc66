import type { Peer, PeerCertificate } from '../identity/peer.ts';
import type { Arrival } from '../pipeline/arrival.ts';
import type { Entrance } from '../pipeline/load.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Blocks, Conduct } from './blocks.ts';
import type { Documents } from './documents.ts';
import type { FloodKind } from './flood-tally.ts';
import type { KnownAddresses } from './known-addresses.ts';
import type { ListenerLog, Refusal } from './refusal.ts';
import type { Routes } from './routes.ts';

export interface ListenerDependencies {
  /** Path -> upstream. */
  readonly routes: Routes;
  /** Upstreams at whose routes an access token in the query is refused. Absent: none. */
  readonly tokenRoutes?: ReadonlySet<string>;
  /** What anybody may read. Absent: nothing. */
  readonly documents?: Documents;
  /** Takes a request that was let in. It answers through `reply`; if it does not, or throws, the client gets `internal`. */
  handle(arrival: Arrival, reply: Reply): Promise<void>;
  /** Told of each refusal made here, exactly once. Must not throw. */
  onRefusal(refusal: Refusal): void;
  readonly log: ListenerLog;
  /** Whether a verified client certificate is on the deny list: what comes with it is refused. Default: none is. */
  readonly isRevoked?: (certificate: PeerCertificate) => boolean;
  /** A connection is cut now, because its certificate does not count any more. What came over it must not go on. */
  readonly onCut?: (peer: Peer) => void;
  /** Addresses that are shut out. Absent: none is. */
  readonly blocks?: Blocks;
  /** Addresses that known callers came from. Absent: all are strangers. */
  readonly known?: KnownAddresses;
  /** Told of each offence that has no record of its own, or one for many. */
  readonly onOffence?: (peer: Peer, conduct: Conduct) => void;
  /** Told of each refusal by a flood, exactly once; `onRefusal` is told of the first ones, and then of many at once. */
  readonly onFlood?: (kind: FloodKind) => void;
  /** Asked of what the guard let in, before its body is read. Tells of its refusals by itself. Absent: all begin at once. */
  readonly entrance?: Entrance;
  /** `insecure.plaintext`: allows plain HTTP on an address that others can reach. */
  readonly allowPlaintext?: boolean;
}

export interface RunningListener {
  readonly address: { readonly host: string; readonly port: number; readonly url: string };
  /**
   * Reads the TLS files again. New handshakes use them at once; open connections stay, except those whose certificate
   * is now revoked or whose root is no longer trusted.
   *
   * @throws Error naming the file, where one is broken; the last good ones then stay in force
   */
  reloadTls(): Promise<void>;
  /** Cuts the connections whose client certificate is now on the deny list. @returns how many */
  cutRevoked(): number;
  /** Closes the port. Open connections finish what is under way and are told to go elsewhere. */
  stopAccepting(): void;
  /** Ends every event stream cleanly that is meant to stay open. Those of calls may finish. */
  endStreams(): void;
  /** Stops accepting, ends streams, waits for the rest to finish, and after `deadlineMs` cuts what is left. */
  close(deadlineMs: number): Promise<void>;
}
