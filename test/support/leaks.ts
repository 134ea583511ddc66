/** What a test leaves behind: sockets that nobody closed. */

import type { Server } from 'node:net';

/** Anything that can tell how many connections it has open: a node server, or a fixture that wraps one. */
export type Listening = Server | { connections(): Promise<number> };

/** How many connections are open right now. */
export function openConnections(server: Listening): Promise<number> {
  if ('connections' in server && typeof server.connections === 'function') return server.connections();
  return new Promise((resolve, reject) => {
    (server as Server).getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/**
 * Waits until none of the servers has a connection left. Throws if one still has after the patience, in milliseconds:
 * a bound on a broken test, not a claim about speed.
 */
export async function expectNoConnections(servers: readonly Listening[], patience = 5_000): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    const counts = await Promise.all(servers.map(openConnections));
    if (counts.every((count) => count === 0)) return;
    if (Date.now() >= deadline) throw new Error(`Connections still open: ${counts.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
