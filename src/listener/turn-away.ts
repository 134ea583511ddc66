import { type Doors, retryAfter } from './doors.ts';
import { floodCause } from './flood-tally.ts';
import type { HttpReply } from './reply.ts';

/**
 * Turns a request away that comes too often, or from a blocked address, before anything of it is looked at.
 *
 * @returns whether it has been answered
 */
export function turnAway(reply: HttpReply, doors: Doors): boolean {
  const { connection } = reply;
  const turned = doors.mayAsk(connection.stranger, connection.peer);
  if (turned === undefined) return false;
  const { kind, retryAfterMs } = turned;
  // It could not have come in now. Who merely comes too often may keep the connection: a new one costs both sides more.
  if (kind === 'blocked') connection.retire();
  reply.refuse('flooded', floodCause(kind), { 'retry-after': retryAfter(retryAfterMs) }, (refusal) =>
    doors.told(kind, refusal),
  );
  return true;
}
