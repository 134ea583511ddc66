import type { UpstreamAnswer } from './upstream-port.ts';

/** Gives up an answer that nobody will read: an open stream would hold its connection until the call times out. */
export async function closeAnswer(answer: UpstreamAnswer): Promise<void> {
  if (answer.kind === 'json') answer.done?.();
  if (answer.kind === 'stream') await answer.events[Symbol.asyncIterator]().return?.();
}
