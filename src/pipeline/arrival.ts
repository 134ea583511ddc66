import type { Peer } from '../identity/peer.ts';

/** One HTTP request, complete, as the listener hands it over: bounded, on a known route, from an allowed Host and Origin. */
export interface Arrival {
  readonly peer: Peer;
  /** Name of the upstream whose path was asked for. */
  readonly upstream: string;
  readonly verb: 'POST' | 'GET' | 'DELETE';
  /** Names and values in turn, as they came over the wire: duplicates are still visible here. HTTP/2 pseudo-headers excluded. */
  readonly rawHeaders: readonly string[];
  /** Empty for GET and DELETE. */
  readonly body: Buffer;
  /** In an overload: it was let in by who its caller is, before its body was read, and is not asked that again. */
  readonly letIn?: boolean;
}

/** One that has come so far as its headers. */
export type Unread = Omit<Arrival, 'body'>;
