import { isHandle } from '../mcp/text.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { OwnedMap } from './owned-map.ts';
import type { Sealer } from './seal.ts';
import { ownerOf } from './task-book.ts';

/**
 * Tasks that a client holds (2025-11-25: sampling and elicitation may be answered by a task of the client's). The server
 * gets `<tag>.<id>`: the tag binds the id to this client and this upstream, so that no other server can ask for what the
 * client did for this one. The same each time, and nothing is remembered but which ids were given away.
 */
export interface ClientTasks {
  /** The server's word for a task of the client's, which from now on is one that the server may list. */
  give(id: string, exchange: Exchange): string | undefined;
  /** The server's word for a task that was given; undefined for any other. */
  given(id: unknown, exchange: Exchange): string | undefined;
  /** The client's own id; undefined for what this server was never given. */
  open(handle: unknown, exchange: Exchange): string | undefined;
}

/** Ids that are remembered. Beyond, the oldest is neither listed nor notified of. */
const mostGiven = 10_000;
/** Of one client and server, so that the two cannot have those of others forgotten. Beyond, their oldest goes. */
const mostPerOwner = 1_000;

export function createClientTasks(
  sealer: Sealer,
  limits: { readonly all?: number; readonly perOwner?: number } = {},
): ClientTasks {
  const known = new OwnedMap<string>(limits.all ?? mostGiven, limits.perOwner ?? mostPerOwner);
  const keyOf = (id: string, exchange: Exchange): string => JSON.stringify([ownerOf(exchange), id]);
  return {
    give(id, exchange) {
      const handle = `${sealer.tag(keyOf(id, exchange))}.${id}`;
      if (!isHandle(handle)) return undefined;
      known.set(ownerOf(exchange), id, handle);
      return handle;
    },
    given: (id, exchange) => (typeof id === 'string' ? known.get(ownerOf(exchange), id) : undefined),
    open(handle, exchange) {
      if (!isHandle(handle)) return undefined;
      const dot = handle.indexOf('.');
      if (dot < 0) return undefined;
      const id = handle.slice(dot + 1);
      return sealer.verify(keyOf(id, exchange), handle.slice(0, dot)) ? id : undefined;
    },
  };
}
