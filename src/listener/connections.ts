import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Peer } from '../identity/peer.ts';
import type { CertificateRefused } from './certificate-refused.ts';
import type { ClientChain } from './client-chain.ts';
import type { Stranger } from './doors.ts';
import type { ProvenPeer } from './peer.ts';

/** Counts open sockets in all and per address. Both maps hold at most as many entries as there are sockets. */
export class Admission {
  readonly sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  readonly #most: number;
  readonly #mostOfStrangers: number;
  readonly #mostPerAddress: number;

  constructor(limits: { readonly connections: number; readonly connectionsPerAddress: number }) {
    this.#most = limits.connections;
    // The last eighth is kept for those who are known: strangers from many addresses could otherwise take every place.
    this.#mostOfStrangers = limits.connections - Math.floor(limits.connections / 8);
    this.#mostPerAddress = limits.connectionsPerAddress;
  }

  /**
   * Counts a socket until it closes.
   *
   * @param key of its address; undefined for one that is counted in all only
   * @param known whether it may have one of the places that are kept for those who are
   * @returns why it may not stay; it is then not counted
   */
  enter(socket: Socket, key: string | undefined, known = false): 'overloaded' | 'flooded' | undefined {
    if (this.sockets.size >= (known ? this.#most : this.#mostOfStrangers)) return 'overloaded';
    if (key === undefined) {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      return undefined;
    }
    const count = this.#perAddress.get(key) ?? 0;
    if (count >= this.#mostPerAddress) return 'flooded';
    this.sockets.add(socket);
    this.#perAddress.set(key, count + 1);
    socket.once('close', () => {
      this.sockets.delete(socket);
      const left = this.#perAddress.get(key)! - 1;
      if (left === 0) this.#perAddress.delete(key);
      else this.#perAddress.set(key, left);
    });
    return undefined;
  }
}

/** Something that is under way on a connection and wants to know when the client goes. */
export interface UnderWay {
  clientGone(): void;
}

/** One client connection after its handshake. */
export class Connection {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly chain: ClientChain | undefined;
  /** Why the certificate that it showed is not believed. */
  readonly unverified: CertificateRefused | undefined;
  /** The certificate that it showed is on the deny list. */
  readonly revoked: boolean;
  readonly stranger: Stranger;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  /** Undefined on HTTP/1.1. */
  session: ServerHttp2Session | undefined;
  /** Requests that are not answered yet. Bounded by `http2Streams`, and on HTTP/1.1 by the pipelining bound. */
  readonly underWay = new Set<UnderWay>();
  requests = 0;
  /** Bytes of bodies that were read. */
  bodyBytes = 0;
  /** The next answer is the last; in a pipeline, the answer to what came last. */
  closing = false;
  /** An answer has said that it is the last: what comes after it is not served. */
  saidClose = false;
  /** Answers of HTTP/1.1 that are given and not sent: behind others in a pipeline, or while the connection is closing. */
  unflushed = 0;
  /** Nothing more is answered: what a peer sends after a refusal that closes is not read as requests. */
  refused = false;
  idleSince: number;

  constructor(socket: Socket, proven: ProvenPeer, revoked: boolean, stranger: Stranger, now: number) {
    this.socket = socket;
    this.peer = proven.peer;
    this.chain = proven.chain;
    this.unverified = proven.unverified;
    this.revoked = revoked;
    this.stranger = stranger;
    this.openedAt = now;
    this.idleSince = now;
    socket.once('close', () => this.#tellGone());
  }

  /**
   * Lets what is under way finish and takes nothing new: HTTP/2 by GOAWAY; HTTP/1.1 by `Connection: close` on the next
   * answer, and the idle timeout if there is none.
   */
  retire(): void {
    if (this.closing) return;
    this.closing = true;
    this.session?.close();
  }

  destroy(): void {
    this.session?.destroy();
    this.socket.destroy();
    this.#tellGone();
  }

  #tellGone(): void {
    for (const reply of this.underWay) reply.clientGone();
    this.underWay.clear();
  }
}
