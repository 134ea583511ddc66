import type { Arrival } from '../pipeline/arrival.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { ListenerLog } from './refusal.ts';
import type { HttpReply } from './reply.ts';

export interface DispatchDependencies {
  handle(arrival: Arrival, reply: Reply): Promise<void>;
  readonly log: ListenerLog;
}

const letIn = Object.freeze({ letIn: true });

/** Hands a request that was let in to whoever serves it, and sees to it that it gets an answer. */
export function dispatch(reply: HttpReply, body: Buffer, deps: DispatchDependencies): void {
  if (reply.gone) return;
  const { request, ordinaryFrom } = reply;
  const arrival: Arrival = {
    peer: reply.connection.peer,
    upstream: reply.upstream!,
    verb: reply.verb as Arrival['verb'],
    rawHeaders: ordinaryFrom === 0 ? request.rawHeaders : request.rawHeaders.slice(ordinaryFrom),
    body,
    ...(reply.letIn ? letIn : {}),
  };
  try {
    deps.handle(arrival, reply).then(
      () => {
        if (!reply.answered && !reply.gone) fail(reply, new Error('No answer was given'), deps);
      },
      (error: unknown) => fail(reply, error, deps),
    );
  } catch (error) {
    fail(reply, error, deps);
  }
}

/** A fault of our own: an answer if there is still time for one, otherwise an end that cannot be taken for a whole answer. */
export function fail(reply: HttpReply | undefined, error: unknown, deps: DispatchDependencies): void {
  deps.log.error('request failed in the gateway', { error });
  if (reply === undefined) return;
  if (!reply.answered) reply.refuse('internal', error);
  else reply.abort();
}
