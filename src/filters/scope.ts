import type { Exchange } from '../pipeline/exchange.ts';

/**
 * Within what a server's questions, and the event ids of its streams, mean something: one session, or everything of
 * one principal on one upstream where the upstream keeps no sessions. Session keys are arrays of three, so the two
 * never meet.
 */
export function scopeOf(exchange: Exchange): string {
  return exchange.facts.session?.key ?? JSON.stringify([exchange.principal.id, exchange.upstream]);
}
