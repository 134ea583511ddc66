import { GatewayError } from '../errors.ts';
import type { Unread } from '../pipeline/arrival.ts';
import { type Load, mayFreeByHead } from '../pipeline/load.ts';
import type { HttpReply } from './reply.ts';

/**
 * Refuses in an overload what need not be read for that: before the router, the body and the identification of the caller.
 *
 * @returns whether it has been answered
 */
export function shedUnread(reply: HttpReply, turnsAway: Load['turnsAway'] | undefined): boolean {
  if (turnsAway === undefined) return false;
  const { request } = reply;
  const arrival: Unread = {
    peer: reply.connection.peer,
    upstream: reply.upstream!,
    verb: reply.verb as Unread['verb'],
    rawHeaders: request.rawHeaders,
  };
  if (mayFreeByHead(arrival) !== false) return false;
  const answer = turnsAway(arrival);
  if (!(answer instanceof GatewayError)) {
    reply.letIn = answer === 'caller';
    return false;
  }
  reply.refuseUnread(answer);
  return true;
}
