import type { Frame } from '../mcp/frame.ts';
import type { Exchange, Facts } from './exchange.ts';
import { methodWord } from './method-word.ts';
import type { UpstreamCaller, UpstreamMessage } from './upstream-port.ts';

/**
 * On whose behalf a frame goes up, for a transport that makes credentials for each caller; and where it tells what it
 * made.
 *
 * @param frame absent where the gateway itself answers the server within an exchange
 */
export function onBehalfOf(
  exchange: Exchange,
  frame?: Frame,
): Required<Pick<UpstreamMessage, 'caller' | 'onSecret'>> {
  return { caller: callerOf(exchange, frame), onSecret: (secret) => rememberMinted(exchange.facts, secret) };
}

function callerOf(exchange: Exchange, frame: Frame | undefined): UpstreamCaller {
  const { principal, bearer, traceId, facts } = exchange;
  const target = facts.target?.kind === 'method' ? undefined : facts.target?.name;
  return { principal, bearer, method: frame === undefined ? 'response' : methodWord(frame), target, traceId };
}

/** 8: a call has two, and what goes up beside it in a session one each. */
const mostMinted = 8;

/** When full, the oldest but those of the call itself goes. */
function rememberMinted({ minted }: Facts, secret: string): void {
  if (minted.includes(secret)) return;
  if (minted.length >= mostMinted) minted.splice(2, 1);
  minted.push(secret);
}
