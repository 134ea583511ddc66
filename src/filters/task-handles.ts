import { isName } from '../mcp/text.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { KnownTask } from './outstanding.ts';
import type { Sealer } from './seal.ts';
import { ownerOf } from './task-book.ts';

/**
 * What a client holds in place of a server's task id: that id, sealed together with the tool that began the task and
 * the time, for this principal on this upstream. Works on every replica that has the keys; nothing is remembered.
 */
export interface TaskHandles {
  /** Undefined where the server's id is not one that a header could carry, or is longer than any honest one. */
  seal(upstreamId: string, tool: string, exchange: Exchange): KnownTask | undefined;
  /** Undefined for foreign, expired, altered and invented handles, without telling them apart. */
  open(handle: string, exchange: Exchange): KnownTask | undefined;
}

/** Visible ASCII: it stands in `Mcp-Name`. 256: seven times a UUID, and what a name may have. */
const upstreamIdShape = /^[\x21-\x7e]{1,256}$/;

/** Another replica's clock may run ahead a little; a handle from further ahead was not made by an honest one. */
const clockSkewMs = 60_000;

/** @param maxAge milliseconds */
export function createTaskHandles(sealer: Sealer, maxAge: number, now: () => number): TaskHandles {
  return {
    seal(upstreamId, tool, exchange) {
      if (!upstreamIdShape.test(upstreamId)) return undefined;
      const handle = sealer.seal(JSON.stringify([upstreamId, tool, now()]), ownerOf(exchange));
      return { upstreamId, handle, tool };
    },
    open(handle, exchange) {
      const opened = sealer.open(handle, ownerOf(exchange));
      if (opened === undefined) return undefined;
      const claims: unknown = JSON.parse(opened);
      if (!Array.isArray(claims)) return undefined;
      const [upstreamId, tool, issuedAt]: unknown[] = claims;
      if (typeof upstreamId !== 'string' || !isName(tool) || typeof issuedAt !== 'number') return undefined;
      const age = now() - issuedAt;
      return age > maxAge || age < -clockSkewMs ? undefined : { upstreamId, handle, tool };
    },
  };
}
