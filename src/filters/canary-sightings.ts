import { GatewayError } from '../errors.ts';
import type { CanaryBook, Sighting } from '../flows/canaries.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { pass, reject, type Verdict } from '../pipeline/filter.ts';
import { noteFlow } from './flow-findings.ts';

/** @returns undefined where nothing that leaves is a canary: whether it may go is for other checks to say */
export function refuseCanaries(frame: Frame, exchange: Exchange, canaries: CanaryBook): Verdict | undefined {
  const sighting =
    'value' in frame ? (canaries.findIn(frame.value) ?? inHeaders(exchange, canaries)) : undefined;
  if (sighting === undefined) return undefined;
  noteFlow(exchange, 'refused', `canaries.${sighting.canary.name}`, 'canary', sighting.path);
  return reject(new GatewayError('content-refused'));
}

/** `Mcp-Param-*` that mirror no argument are forwarded (2026-07-28, streamable HTTP), and nothing else reads them. */
function inHeaders({ headers }: Exchange, canaries: CanaryBook): Sighting | undefined {
  return headers.params.size === 0
    ? undefined
    : canaries.findIn({ headers: Object.fromEntries(headers.params) });
}

/** What a canary in an answer means, the canary itself says: it is refused, or only told. */
export function judgeReturnedCanaries(frame: Frame, exchange: Exchange, canaries: CanaryBook): Verdict {
  const sighting = 'value' in frame ? canaries.findIn(frame.value) : undefined;
  if (sighting === undefined) return pass;
  const refused = sighting.canary.results === 'refuse';
  noteFlow(
    exchange,
    refused ? 'refused' : 'alert',
    `canaries.${sighting.canary.name}`,
    'canary-returned',
    sighting.path,
  );
  return refused ? reject(new GatewayError('content-refused')) : pass;
}
