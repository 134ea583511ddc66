import type { BlocksOptions } from './flood-options.ts';

/** What an address did: an offence, or what tells that honest callers are behind it. */
export type Conduct =
  | 'refused-credential'
  | 'expired-credential'
  | 'no-credential'
  | 'failed-handshake'
  | 'malformed'
  | 'too-often'
  | 'honest';

/**
 * Points of each. A request without any credential is how OAuth begins, and one with an expired one how it goes on: ten of
 * them count as one refused. So do requests beyond the rate of the address: whoever heeds 429 never gets to a thousand, and
 * whoever does not would have us refuse without end.
 */
const pointsOf: Readonly<Record<Conduct, number>> = {
  'refused-credential': 1,
  'failed-handshake': 1,
  malformed: 1,
  'expired-credential': 0.1,
  'no-credential': 0.1,
  'too-often': 0.1,
  honest: 0,
};

/** One blocked address, as operators see it. */
export interface BlockedAddress {
  /** As it is counted: an IPv4 address, or the /64 of an IPv6 one. */
  readonly address: string;
  /** Whole seconds that are left. */
  readonly seconds: number;
  /** Which block in a row this is, from 1. */
  readonly times: number;
  /** What led to it: offences since the address was first noted, by kind. */
  readonly offences: Readonly<Partial<Record<Conduct, number>>>;
}

/** What the list tells operators. */
export type BlockEvent =
  | {
      readonly kind: 'blocked';
      readonly address: string;
      readonly seconds: number;
      readonly times: number;
      readonly offences: Readonly<Partial<Record<Conduct, number>>>;
    }
  | { readonly kind: 'released'; readonly address: string }
  /** So many blocks had not ended, but all places were taken by worse ones. */
  | { readonly kind: 'forgotten'; readonly count: number };

interface Entry {
  /** Decaying, as of `at`. */
  points: number;
  honest: number;
  /** Monotonic milliseconds. */
  at: number;
  offences: Partial<Record<Conduct, number>>;
  /** Blocks in a row. */
  times: number;
  /** When the last block ends or ended; 0 for none. */
  until: number;
}

/**
 * Addresses that fail too often, and those among them that are shut out. Times are monotonic milliseconds.
 *
 * An honest call takes no points away: the broken client beside it has not mended itself. It counts on the other side of
 * the share instead, so that an address which is mostly honest is not blocked.
 */
export class Blocks {
  readonly #options: BlocksOptions;
  readonly #tell: (event: BlockEvent) => void;
  readonly #entries = new Map<string, Entry>();
  #blockedEver = 0;
  #forgottenEver = 0;

  constructor(options: BlocksOptions, tell: (event: BlockEvent) => void = () => {}) {
    this.#options = options;
    this.#tell = tell;
  }

  get enabled(): boolean {
    return this.#options.enabled;
  }

  /** Addresses that are remembered, blocked or not. */
  get size(): number {
    return this.#entries.size;
  }

  get counts(): { readonly blocked: number; readonly forgotten: number } {
    return { blocked: this.#blockedEver, forgotten: this.#forgottenEver };
  }

  /** Milliseconds for which the address is still shut out; undefined where it is not. */
  blockedFor(key: string, now: number): number | undefined {
    if (this.#entries.size === 0) return undefined;
    const entry = this.#entries.get(key);
    return entry === undefined || entry.until <= now ? undefined : entry.until - now;
  }

  /** Notes one thing that an address did. */
  note(key: string, conduct: Conduct, now: number): void {
    if (!this.#options.enabled) return;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      // Addresses that never failed are not remembered.
      if (conduct === 'honest') return;
      if (this.#entries.size >= this.#options.entries) this.#makeRoom(now);
      entry = { points: 0, honest: 0, at: now, offences: {}, times: 0, until: 0 };
      this.#entries.set(key, entry);
    }
    // What was on its way when the block began, and what it then refuses, makes it no longer.
    if (entry.until > now) return;
    this.#decay(entry, now);
    if (conduct === 'honest') {
      entry.honest += 1;
      return;
    }
    const points = pointsOf[conduct];
    entry.points += points;
    entry.offences[conduct] = (entry.offences[conduct] ?? 0) + 1;
    const { threshold, share } = this.#options;
    if (entry.points < threshold || entry.points < share * (entry.points + entry.honest)) return;
    this.#block(key, entry, now);
  }

  /** Blocked addresses, those that stay longest first. */
  list(now: number): readonly BlockedAddress[] {
    const blocked: BlockedAddress[] = [];
    for (const [address, { until, times, offences }] of this.#entries) {
      if (until <= now) continue;
      blocked.push({ address, seconds: Math.ceil((until - now) / 1000), times, offences: { ...offences } });
    }
    return blocked.sort((a, b) => b.seconds - a.seconds);
  }

  blockedNow(now: number): number {
    let count = 0;
    for (const { until } of this.#entries.values()) if (until > now) count += 1;
    return count;
  }

  /**
   * Forgets an address and all that it did.
   *
   * @returns whether it was blocked
   */
  release(key: string, now: number): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.until <= now) return false;
    this.#entries.delete(key);
    this.#tell({ kind: 'released', address: key });
    return true;
  }

  /** @returns how many were blocked */
  releaseAll(now: number): number {
    return this.list(now).filter(({ address }) => this.release(address, now)).length;
  }

  #block(key: string, entry: Entry, now: number): void {
    const { duration, maxDuration } = this.#options;
    entry.times = this.#timesOf(entry, now) + 1;
    const length = Math.min(maxDuration, duration * 2 ** Math.min(30, entry.times - 1));
    entry.until = now + length;
    const { times } = entry;
    const offences = { ...entry.offences };
    // Behind the block begins a new count: one more failure must not be the next block.
    entry.points = 0;
    entry.honest = 0;
    this.#blockedEver += 1;
    this.#tell({ kind: 'blocked', address: key, seconds: Math.ceil(length / 1000), times, offences });
  }

  /** Clean for as long as the longest block: what was before is forgotten. */
  #timesOf({ times, until }: Entry, now: number): number {
    return now - until >= this.#options.maxDuration ? 0 : times;
  }

  #decay(entry: Entry, now: number): void {
    const passed = now - entry.at;
    if (passed <= 0) return;
    const left = 2 ** (-passed / this.#options.halfLife);
    entry.points *= left;
    entry.honest *= left;
    entry.at = now;
  }

  /**
   * An eighth of the list goes at once, so that whoever fails from ever new addresses does not have all of it sorted each
   * time. First those without a block, the fewest points first; then blocks, the least repeated and shortest first.
   */
  #makeRoom(now: number): void {
    const ranked = [...this.#entries].map(([key, entry]) => {
      this.#decay(entry, now);
      return { key, entry, blocked: entry.until > now, times: this.#timesOf(entry, now) };
    });
    ranked.sort(
      (a, b) =>
        Number(a.blocked) - Number(b.blocked) ||
        a.times - b.times ||
        a.entry.points - b.entry.points ||
        a.entry.until - b.entry.until,
    );
    let forgotten = 0;
    for (const { key, blocked } of ranked.slice(0, Math.max(1, ranked.length >> 3))) {
      this.#entries.delete(key);
      if (blocked) forgotten += 1;
    }
    if (forgotten === 0) return;
    this.#forgottenEver += forgotten;
    this.#tell({ kind: 'forgotten', count: forgotten });
  }
}
