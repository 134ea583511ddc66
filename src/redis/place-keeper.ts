import type { RedisLink } from './link.ts';
import { createScript } from './scripts.ts';
import { renewScript } from './take-script.ts';

/** The places that this process holds in the store. Says three times in each lease that it still does. */
export interface PlaceKeeper {
  hold(key: string, holder: string): void;
  giveBack(key: string, holder: string): void;
  /** No further place can be kept: nobody would renew it. */
  readonly isFull: boolean;
  readonly size: number;
  close(): void;
}

/** 200,000 calls under way are more than one process has. */
const mostPlaces = 200_000;
/** Places that one command renews: it takes the server well below a millisecond. */
const mostAtOnce = 200;

interface Place {
  readonly key: string;
  readonly holder: string;
}

/** @param leaseMs how long the store keeps a place after the last word of its holder */
export function createPlaceKeeper(leaseMs: number, link: Pick<RedisLink, 'send'>): PlaceKeeper {
  const script = createScript(renewScript, link);
  const places = new Map<string, Place>();
  const renew = async (): Promise<void> => {
    const all = [...places.values()];
    for (let start = 0; start < all.length; start += mostAtOnce) {
      const some = all.slice(start, start + mostAtOnce);
      // Not waited for: a place that was given back in the meantime must be given back after this.
      void script
        .run(
          some.map(({ key }) => key),
          [String(leaseMs), ...some.map(({ holder }) => holder)],
        )
        // A store that is lost is told of by who asks it; the next beat says it again.
        .catch(() => {});
    }
  };
  const beat = setInterval(renew, leaseMs / 3);
  beat.unref();
  return {
    hold(key, holder) {
      places.set(`${key} ${holder}`, { key, holder });
    },
    giveBack(key, holder) {
      places.delete(`${key} ${holder}`);
      // Where this is lost the place is free again when its lease ends: nobody renews it.
      void link.send(['ZREM', key, holder]).catch(() => {});
    },
    get isFull() {
      return places.size >= mostPlaces;
    },
    get size() {
      return places.size;
    },
    close() {
      clearInterval(beat);
      places.clear();
    },
  };
}
