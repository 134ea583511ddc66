import type { HoldScope } from '../flows/hold-book.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { FlowRule } from '../policy/content.ts';

/** A session or a trace where there is one, else the principal: whoever names none is held back by all it does. */
export function holdScope(per: FlowRule['per'], exchange: Exchange): HoldScope {
  const principal = exchange.principal.id;
  if (per === 'session') return { principal, within: sessionKey(exchange) };
  if (per === 'trace') return { principal, within: traceKey(exchange) };
  return { principal, within: undefined };
}

/** Everything under which an exchange is remembered that returned what strangers wrote. */
export function holdScopes(exchange: Exchange): readonly HoldScope[] {
  const principal = exchange.principal.id;
  const scopes = [sessionKey(exchange), traceKey(exchange)]
    .filter((within) => within !== undefined)
    .map((within) => ({ principal, within }));
  return scopes.length === 0 ? [{ principal, within: undefined }] : scopes;
}

function sessionKey(exchange: Exchange): string | undefined {
  const session = exchange.facts.session;
  return session === undefined ? undefined : `session ${session.key}`;
}

/** An exchange without a trace of its client's has its own id for one. */
function traceKey(exchange: Exchange): string | undefined {
  return exchange.traceId === exchange.id ? undefined : `trace ${exchange.traceId}`;
}

/** Tells scopes apart. */
export function holdKey({ principal, within }: HoldScope): string {
  return JSON.stringify([principal, within ?? null]);
}
