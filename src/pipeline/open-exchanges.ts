import type { GatewayError } from '../errors.ts';
import type { Standing } from '../identity/identity.ts';
import type { Peer } from '../identity/peer.ts';
import type { Principal } from '../identity/principal.ts';

/** Somebody whose exchange, or batch of them, is under way. */
export interface Holder {
  readonly principal: Principal;
  readonly peer: Peer;
  readonly upstream: string;
  /** It is a stream that is meant to stay open. */
  readonly standing: boolean;
  /** Ends it, for this reason. Called at most once. */
  end(error: GatewayError): void;
  /** When its credentials expire, as things stand now. May be what it was. */
  expiresAt(time: number | undefined): void;
}

/**
 * What runs now: calls, batches and streams. Holds exactly that, so it is bounded by what is let in.
 *
 * Ends what must not go on when credentials are withdrawn. A caller may be let in by the old list and begin after the
 * sweep that follows the new one: whoever begins says when it was let in, and is asked about again if that was before.
 */
export class OpenExchanges {
  readonly #open = new Set<Holder>();
  #recheck: ((principal: Principal, upstream: string) => Standing) | undefined;
  #epoch = 0;
  #closed: GatewayError | undefined;
  /** Connections that were cut: what still comes from them begins nothing. Each goes with its connection. */
  readonly #cut = new WeakMap<Peer, GatewayError>();

  /** Number of sweeps so far. To be read before a caller is let in, and given to {@link enter}. */
  get epoch(): number {
    return this.#epoch;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @returns what to call when it is over */
  enter(holder: Holder, epoch: number): () => void {
    this.#open.add(holder);
    const cut = this.#closed ?? this.#cut.get(holder.peer);
    if (cut !== undefined) this.#end(holder, cut);
    else if (epoch !== this.#epoch) this.#look(holder);
    return () => this.#open.delete(holder);
  }

  /**
   * Asks about everybody again.
   *
   * @param recheck what a principal is worth now
   * @returns how many were ended
   */
  sweep(recheck: (principal: Principal, upstream: string) => Standing): number {
    this.#recheck = recheck;
    this.#epoch += 1;
    let ended = 0;
    // An ended one leaves the set meanwhile, which a set allows.
    for (const holder of this.#open) if (this.#look(holder)) ended += 1;
    return ended;
  }

  /** Ends all that came over one connection. @returns how many */
  endAt(peer: Peer, error: GatewayError): number {
    this.#cut.set(peer, error);
    let ended = 0;
    for (const holder of this.#open) {
      if (holder.peer !== peer) continue;
      this.#end(holder, error);
      ended += 1;
    }
    return ended;
  }

  /** Ends the streams that are meant to stay open. @returns how many */
  endStanding(error: GatewayError): number {
    const standing = [...this.#open].filter((holder) => holder.standing);
    for (const holder of standing) this.#end(holder, error);
    return standing.length;
  }

  /** Ends all, and whatever begins after this. @returns how many ran */
  close(error: GatewayError): number {
    this.#closed = error;
    const left = [...this.#open];
    for (const holder of left) this.#end(holder, error);
    return left.length;
  }

  #look(holder: Holder): boolean {
    const standing = this.#recheck?.(holder.principal, holder.upstream);
    if (standing === undefined) return false;
    if (standing.ok) {
      holder.expiresAt(standing.expiresAt);
      return false;
    }
    this.#end(holder, standing.error);
    return true;
  }

  #end(holder: Holder, error: GatewayError): void {
    this.#open.delete(holder);
    holder.end(error);
  }
}
