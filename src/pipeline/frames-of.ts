import { type Decoded, type DecodeLimits, decodeBody, decodeBodyInTurns } from '../mcp/decode.ts';
import type { Frame } from '../mcp/frame.ts';
import type { ProtocolHeaders } from '../mcp/headers.ts';
import type { Revision } from '../mcp/revision.ts';
import type { Arrival } from './arrival.ts';

/** What a legacy request without a version header and without a session speaks (2025-06-18, basic/transports). */
export const assumedRevision: Revision = '2025-03-26';

/** The frames of a request, at least one. GET and DELETE are frames of their own, so that they pass the filters too. */
export function framesOf(
  arrival: Pick<Arrival, 'verb' | 'body'>,
  headers: ProtocolHeaders,
  limits: DecodeLimits,
): Decoded<Frames> {
  if (arrival.verb === 'POST') return decodeBody(arrival.body, limits, 'toUpstream');
  return frameOfVerb(arrival, headers);
}

/** As `framesOf`; where the body is large, others have their turn meanwhile. */
export function framesInTurns(
  arrival: Pick<Arrival, 'verb' | 'body'>,
  headers: ProtocolHeaders,
  limits: DecodeLimits,
): Decoded<Frames> | Promise<Decoded<Frames>> {
  if (arrival.verb === 'POST') return decodeBodyInTurns(arrival.body, limits, 'toUpstream');
  return frameOfVerb(arrival, headers);
}

interface Frames {
  readonly frames: readonly Frame[];
  readonly batch: boolean;
}

function frameOfVerb(arrival: Pick<Arrival, 'verb'>, headers: ProtocolHeaders): Decoded<Frames> {
  const frame: Frame =
    arrival.verb === 'GET'
      ? { kind: 'stream-open', lastEventId: headers.lastEventId }
      : { kind: 'session-end' };
  return { ok: true, value: { frames: [frame], batch: false } };
}
