import type { Rate } from '../document/units.ts';
import { askGcra, gcraRate, type RateMeasure } from '../limits/gcra.ts';

export interface Paced {
  readonly rate: Rate;
  readonly burst: number;
}

/** Why something came too often, and after how many whole milliseconds it may come again. */
export interface TooOften {
  readonly by: 'address' | 'all';
  readonly retryAfterMs: number;
}

/**
 * 65536 addresses, because each costs some 150 bytes. Only what `all` admits is remembered, and an address is worth
 * remembering for `burst / rate` at most: with the default rates a list of this length never gets full.
 */
const mostAddresses = 65_536;

/**
 * How often something comes, in all and from each address. When the list of addresses is full, the one that was seen
 * longest ago is forgotten and begins anew: nobody is refused for it, and the rate in all holds whatever happens.
 *
 * Those who are known have a rate in all of their own, of the same size: who comes from ever new addresses uses up that of
 * strangers, and nobody who is at work feels it.
 */
export class AddressRates {
  readonly #all: RateMeasure;
  readonly #each: RateMeasure;
  readonly #most: number;
  #tatOfStrangers: number | undefined;
  #tatOfKnown: number | undefined;
  /** Address -> theoretical arrival time. Seen longest ago first. */
  readonly #tats = new Map<string, number>();

  constructor(all: Paced, each: Paced, most: number = mostAddresses) {
    this.#all = gcraRate(all.rate.count, all.rate.periodMs, all.burst);
    this.#each = gcraRate(each.rate.count, each.rate.periodMs, each.burst);
    this.#most = most;
  }

  get size(): number {
    return this.#tats.size;
  }

  /**
   * Charges one, unless it comes too often: then nothing is charged, so that whoever goes on knocking is let in as soon
   * as one who waited.
   *
   * @param key of the address; undefined for one that is counted in all only
   * @param nowUs monotonic microseconds, whole
   * @param known whether it is counted with those who are known
   */
  take(key: string | undefined, nowUs: number, known = false): TooOften | undefined {
    let tat: number | undefined;
    if (key !== undefined) {
      const answer = askGcra(this.#tats.get(key), nowUs, this.#each);
      if (!answer.admit) return { by: 'address', retryAfterMs: answer.retryAfterMs ?? 0 };
      tat = answer.tat;
    }
    const answer = askGcra(known ? this.#tatOfKnown : this.#tatOfStrangers, nowUs, this.#all);
    if (!answer.admit) return { by: 'all', retryAfterMs: answer.retryAfterMs ?? 0 };
    if (known) this.#tatOfKnown = answer.tat;
    else this.#tatOfStrangers = answer.tat;
    if (key !== undefined) this.#keep(key, tat!, nowUs);
    return undefined;
  }

  #keep(key: string, tat: number, nowUs: number): void {
    const tats = this.#tats;
    tats.delete(key);
    tats.set(key, tat);
    // Two for each that comes, so that the list shrinks to those that matter without anybody ever walking all of it.
    let looks = 2;
    for (const [oldest, until] of tats) {
      if (looks === 0) break;
      looks -= 1;
      if (until <= nowUs || tats.size > this.#most) tats.delete(oldest);
    }
  }
}
