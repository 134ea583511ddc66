import type { Peer } from '../identity/peer.ts';
import type { Connection } from './connections.ts';

/**
 * Ends connections at once, answers under way and all. What came over them is told first, since a call of the session era
 * survives a client that merely goes away.
 *
 * @returns how many were cut
 */
export function cutConnections(
  connections: Iterable<Connection>,
  fits: (connection: Connection) => boolean,
  onCut: ((peer: Peer) => void) | undefined,
): number {
  let cut = 0;
  for (const connection of connections) {
    if (!fits(connection)) continue;
    onCut?.(connection.peer);
    connection.destroy();
    cut += 1;
  }
  return cut;
}
