import type { ErrorCode } from '../errors.ts';
import { addressKey } from '../identity/address-key.ts';
import type { Peer } from '../identity/peer.ts';
import { AddressRates, type TooOften } from './address-rates.ts';
import type { Blocks, Conduct } from './blocks.ts';
import { type FloodKind, FloodTally, floodCause } from './flood-tally.ts';
import type { KnownAddresses } from './known-addresses.ts';
import type { ListenerLimits } from './options.ts';
import type { Refusal } from './refusal.ts';
import { isTrusted } from './trusted.ts';

/** Who stands at the door, as far as floods are concerned. */
export interface Stranger {
  /** Undefined for a trusted address, behind which many stand: it is counted in all only, and never blocked. */
  readonly key: string | undefined;
}

/** Why a request is turned away. */
export interface TurnedAway {
  readonly kind: FloodKind;
  readonly retryAfterMs: number;
}

/** What is asked of everybody before anybody is known, on one listener. */
export class Doors {
  readonly #trusted: ListenerLimits['trusted'];
  readonly #handshakes: AddressRates;
  readonly #requests: AddressRates;
  readonly #blocks: Blocks | undefined;
  readonly #known: KnownAddresses | undefined;
  readonly #tally: FloodTally;
  readonly #onOffence: (peer: Peer, conduct: Conduct) => void;

  constructor(
    limits: Pick<ListenerLimits, 'trusted' | 'rates'>,
    deps: {
      readonly blocks: Blocks | undefined;
      readonly known?: KnownAddresses | undefined;
      /** Told of each offence that has no record of its own. */
      onOffence?(peer: Peer, conduct: Conduct): void;
      onRefusal(refusal: Refusal): void;
      onFlood(kind: FloodKind): void;
    },
  ) {
    const { handshakes, handshakesPerAddress, requests, requestsPerAddress } = limits.rates;
    this.#trusted = limits.trusted;
    this.#handshakes = new AddressRates(handshakes, handshakesPerAddress);
    this.#requests = new AddressRates(requests, requestsPerAddress);
    this.#blocks = deps.blocks;
    this.#known = deps.known;
    this.#onOffence = (peer, conduct) => deps.onOffence?.(peer, conduct);
    this.#tally = new FloodTally(
      (refusal) => deps.onRefusal(refusal),
      (kind) => deps.onFlood(kind),
    );
  }

  stranger(address: string): Stranger {
    return { key: isTrusted(address, this.#trusted) ? undefined : addressKey(address) };
  }

  /** Whether known callers come from there: lately, or through a trusted address. */
  knows({ key }: Stranger, now: number = performance.now()): boolean {
    return key === undefined || this.#known?.has(key, now) === true;
  }

  /** Whether a new connection may have its handshake. Told of and counted where not. */
  mayConnect(stranger: Stranger, peer: Peer): boolean {
    const { key } = stranger;
    const now = performance.now();
    if (key !== undefined && this.#blocks?.blockedFor(key, now) !== undefined) {
      this.turnAway('blocked', peer, 'flooded');
      return false;
    }
    const refused = this.#handshakes.take(key, Math.floor(now * 1000), this.knows(stranger, now));
    if (refused === undefined) return true;
    const kind = refused.by === 'all' ? 'handshakes' : 'handshakes-per-address';
    this.turnAway(kind, peer, 'flooded');
    return false;
  }

  /** Whether a request on an open connection may be looked at. */
  mayAsk(stranger: Stranger, peer: Peer): TurnedAway | undefined {
    const { key } = stranger;
    const now = performance.now();
    const blocked = key === undefined ? undefined : this.#blocks?.blockedFor(key, now);
    if (blocked !== undefined) return { kind: 'blocked', retryAfterMs: blocked };
    const refused: TooOften | undefined = this.#requests.take(
      key,
      Math.floor(now * 1000),
      this.knows(stranger, now),
    );
    if (refused === undefined) return undefined;
    const { by, retryAfterMs } = refused;
    // Not where all together come too often: that is no fault of this one.
    if (by === 'address') this.#onOffence(peer, 'too-often');
    return { kind: by === 'all' ? 'requests' : 'requests-per-address', retryAfterMs };
  }

  /** Counts a connection that is closed without an answer, and tells of it as far as a flood may be told of. */
  turnAway(kind: FloodKind, peer: Peer, code: ErrorCode): void {
    this.told(kind, { peer, verb: '-', upstream: undefined, code, status: 0, cause: floodCause(kind) });
  }

  /** As {@link turnAway}, of a connection that breaks the manners of its protocol. */
  turnOut(kind: FloodKind, peer: Peer): void {
    this.turnAway(kind, peer, 'flooded');
    this.#onOffence(peer, 'malformed');
  }

  /** Counts a refusal that a flood may repeat without end, and tells of it. */
  told(kind: FloodKind, refusal: Refusal): void {
    this.#tally.refused(kind, refusal);
  }

  /** Counts without telling. */
  count(kind: FloodKind): void {
    this.#tally.count(kind);
  }

  /** Tells what has not been told yet. */
  close(): void {
    this.#tally.flush();
  }
}

/** Whole seconds, as `Retry-After` has them (RFC 9110, section 10.2.3); never too early. */
export function retryAfter(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
}
