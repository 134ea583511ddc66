import { GatewayError } from '../errors.ts';
import type { Unread } from '../pipeline/arrival.ts';
import { type Entrance, mayFreeByHead } from '../pipeline/load.ts';
import type { HttpReply } from './reply.ts';

/**
 * Lets a request begin when it is its turn; or refuses, in an overload, what need not be read for that: before the router,
 * the body and the identification of the caller. Where only the body can tell whether it must pass, it is let in.
 *
 * @param begin reads it. Not called where it is refused, and where its client has gone meanwhile: nothing of it was read
 */
export function letIn(reply: HttpReply, entrance: Entrance | undefined, begin: () => void): void {
  if (entrance === undefined) {
    begin();
    return;
  }
  const { request } = reply;
  const arrival: Unread = {
    peer: reply.connection.peer,
    upstream: reply.upstream!,
    verb: reply.verb as Unread['verb'],
    rawHeaders: request.rawHeaders,
  };
  if (mayFreeByHead(arrival) === false) {
    const answer = entrance.turnsAway(arrival);
    if (answer instanceof GatewayError) {
      reply.refuseUnread(answer);
      return;
    }
    reply.letIn = answer === 'caller';
  }
  const leave = entrance.takeTurn(arrival, bodyBytes(reply), () => {
    if (reply.gone) return false;
    begin();
    return true;
  });
  // At once, not when its turn comes: clients that ask and leave would fill the line.
  if (leave !== undefined) reply.onClientGone(leave);
}

function bodyBytes({ verb, request }: HttpReply): number {
  return verb === 'POST' ? Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) : 0;
}
