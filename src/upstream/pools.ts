import { type Client, Pool } from 'undici';
import type { UpstreamMessage } from '../pipeline/upstream-port.ts';
import { type Lane, spareOf } from './lane.ts';

/** The connections of one endpoint, with one TLS material. */
export interface Pools {
  /** Where a call goes. Its place in the lane is counted already. */
  poolOf(message: Pick<UpstreamMessage, 'longLived' | 'caller'>): Pool;
  readonly all: readonly Pool[];
}

/** A fourth: so many callers must come together to take all spare connections. */
const spareOfOne = 1 / 4;

/**
 * Opens no connection yet.
 *
 * Long-lived streams have connections of their own: clients that only listen must not keep others from calling. So has a
 * part of the calls: where all others are taken, they are for callers who have next to nothing under way, or one whose
 * calls hang would have everybody wait behind them.
 */
export function createPools(
  origin: string,
  connecting: Client.Options,
  limits: { readonly connections: number; readonly streams: number },
  lane: Lane,
): Pools {
  const spare = spareOf(limits.connections);
  const few = Math.max(1, Math.floor(spare * spareOfOne));
  const most = limits.connections - spare;
  const calls = new Pool(origin, { ...connecting, connections: most });
  const streams = new Pool(origin, { ...connecting, connections: limits.streams });
  const kept = spare === 0 ? undefined : new Pool(origin, { ...connecting, connections: spare });

  return {
    all: kept === undefined ? [calls, streams] : [calls, streams, kept],
    poolOf({ longLived, caller }) {
      if (longLived) return streams;
      if (kept === undefined || lane.busy <= most || lane.of(caller?.principal.id) > few) return calls;
      // Where all wait for their turn, it is the shorter wait of the two.
      return kept.stats.size * most < calls.stats.size * spare ? kept : calls;
    },
  };
}
